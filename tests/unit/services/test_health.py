"""Readiness."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from memory_server.domain.errors import Unavailable
from memory_server.services.events import Events
from memory_server.services.health import HealthService
from plugin_kit.envelope import Event


class Observed:
    """The observations that a service reported."""

    def __init__(self) -> None:
        self.hooks: list[str] = []

    def observed(self, events: Sequence[Event]) -> None:
        self.hooks += [event.hook for event in events]


class Part:
    """A part that answers after ``delay`` seconds, or fails."""

    def __init__(self, delay: float = 0, error: Exception | None = None) -> None:
        self._delay = delay
        self._error = error

    async def ping(self) -> None:
        await asyncio.sleep(self._delay)
        if self._error is not None:
            raise self._error


async def test_every_part_is_asked_at_once_and_none_is_waited_for_longer_than_patience_lasts() -> None:
    parts = {
        "fine": Part(),
        "slow": Part(delay=60),
        "slower": Part(delay=90),
        "away": Part(error=Unavailable("database")),
        "broken": Part(error=RuntimeError("the password is swordfish")),
    }
    start = time.monotonic()

    health = await HealthService(parts, cast(Events, Observed()), patience=0.2).readiness()

    assert time.monotonic() - start < 5
    assert {name: part.error for name, part in health.items()} == {
        "fine": None,
        "slow": "no answer within 0.2 seconds",
        "slower": "no answer within 0.2 seconds",
        "away": "does not answer",
        "broken": "failed",
    }
    assert health["slow"].latency_ms >= 200 > health["fine"].latency_ms


async def test_a_check_of_health_is_an_event() -> None:
    observed = Observed()

    await HealthService({}, cast(Events, observed)).readiness()

    assert observed.hooks == ["health_check"]
