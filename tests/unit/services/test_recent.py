"""A value from elsewhere: some seconds old at most, and nobody waits long for it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from memory_server.domain.errors import Unavailable
from memory_server.services.recent import LIFETIME, Recent


class SetClock:
    """The time that the test sets."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Source:
    """Gives 1, 2, 3 ... after ``delay`` seconds, or fails."""

    def __init__(self) -> None:
        self.calls = 0
        self.delay = 0.0
        self.error: Exception | None = None

    async def fetch(self) -> int:
        self.calls += 1
        await asyncio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        return self.calls


async def test_a_value_is_fetched_again_when_it_is_too_old() -> None:
    clock, source = SetClock(), Source()
    recent = Recent(source.fetch, clock, patience=1)

    values = [await recent.get(), await recent.get()]
    clock.time += LIFETIME
    values.append(await recent.get())

    assert values == [1, 1, 2]


async def test_all_who_ask_at_once_wait_for_one_fetch() -> None:
    source = Source()
    source.delay = 0.01
    recent = Recent(source.fetch, SetClock(), patience=5)

    assert await asyncio.gather(*(recent.get() for _ in range(5))) == [1] * 5


async def test_nobody_waits_longer_than_patience_lasts_and_what_comes_later_is_there_for_the_next() -> None:
    source = Source()
    source.delay = 0.2
    recent = Recent(source.fetch, SetClock(), patience=0.05)

    start = time.monotonic()
    assert await recent.get() is None
    assert time.monotonic() - start < 0.2
    await asyncio.sleep(0.25)

    assert await recent.get() == 1
    assert source.calls == 1


async def test_a_fetch_that_fails_gives_nothing_and_is_tried_again() -> None:
    source = Source()
    recent = Recent(source.fetch, SetClock(), patience=1)

    for error in (Unavailable("plugin state"), RuntimeError("broken")):
        source.error = error
        assert await recent.get() is None
    source.error = None

    assert await recent.get() == 3


async def test_a_value_of_the_future_is_no_value() -> None:
    clock, source = SetClock(), Source()
    recent = Recent(source.fetch, clock, patience=1)
    await recent.get()
    clock.time -= timedelta(hours=1)

    assert await recent.get() == 2
