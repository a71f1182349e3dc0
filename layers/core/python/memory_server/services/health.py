"""Whether the parts that a request may need answer now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from memory_server.domain.errors import Unavailable
from memory_server.domain.events import new_event
from memory_server.services.events import Events
from memory_server.services.ports import Health

PATIENCE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """How one part answered: after how long, and what was the matter (None where nothing was)."""

    latency_ms: float
    error: str | None


class HealthService:
    """Asks all parts at once, and gives each ``PATIENCE_SECONDS``."""

    def __init__(self, parts: Mapping[str, Health], events: Events) -> None:
        self._parts = parts
        self._events = events

    async def readiness(self) -> dict[str, PartHealth]:
        """Return the health of each part by its name; whatever a part does, no error is raised."""
        answers = await asyncio.gather(*(_ask(part) for part in self._parts.values()))
        self._events.observed([new_event("health_check", None, {})])
        return dict(zip(self._parts, answers, strict=True))


async def _ask(part: Health) -> PartHealth:
    start = time.perf_counter()
    error: str | None = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await part.ping()
    except TimeoutError:
        error = f"no answer within {PATIENCE_SECONDS:g} seconds"
    except Unavailable:
        error = "does not answer"
    return PartHealth(latency_ms=round((time.perf_counter() - start) * 1000, 1), error=error)
