"""Whether the parts that a request may need answer now."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from memory_server.domain.errors import Unavailable
from memory_server.domain.events import new_event
from memory_server.services.events import Events
from memory_server.services.ports import Health

PATIENCE_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """How one part answered: after how long, and what was the matter (None where nothing was)."""

    latency_ms: float
    error: str | None


class HealthService:
    """Asks all parts at once, and gives each ``patience`` seconds."""

    def __init__(self, parts: Mapping[str, Health], events: Events, *, patience: float = PATIENCE_SECONDS) -> None:
        self._parts = parts
        self._events = events
        self._patience = patience

    async def readiness(self) -> dict[str, PartHealth]:
        """Return the health of each part by its name; whatever a part does, no error is raised."""
        answers = await asyncio.gather(*(self._ask(part) for part in self._parts.values()))
        self._events.observed([new_event("health_check", None, {})])
        return dict(zip(self._parts, answers, strict=True))

    async def _ask(self, part: Health) -> PartHealth:
        start = time.perf_counter()
        error: str | None = None
        try:
            async with asyncio.timeout(self._patience):
                await part.ping()
        except TimeoutError:
            error = f"no answer within {self._patience:g} seconds"
        except Unavailable:
            error = "does not answer"
        except Exception:
            logger.exception("a part failed in an unexpected way")
            error = "failed"
        return PartHealth(latency_ms=round((time.perf_counter() - start) * 1000, 1), error=error)
