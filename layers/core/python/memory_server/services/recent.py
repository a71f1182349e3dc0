"""A value from elsewhere that may be some seconds old, and that nobody waits for longer than they can."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from memory_server.domain.errors import Unavailable
from memory_server.services.ports import Clock

LIFETIME: Final = timedelta(seconds=5)

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Recent(Generic[T]):
    """What ``fetch`` returned within the last 5 seconds. All who ask meanwhile wait for one call of it."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Clock, *, patience: float) -> None:
        self._fetch = fetch
        self._clock = clock
        self._patience = patience
        self._last: tuple[datetime, T] | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def get(self) -> T | None:
        """Return the value, or None where it does not come within ``patience`` seconds. It never raises.

        A call that takes longer goes on, so that its value is there for those who ask next.
        """
        if self._current() is None:
            if self._fetching is None:
                self._fetching = asyncio.create_task(self._renew())
            await asyncio.wait({self._fetching}, timeout=self._patience)
        current = self._current()
        return None if current is None else current[1]

    def _current(self) -> tuple[datetime, T] | None:
        # By the time of day: a monotonic clock may stand still while Lambda has the environment frozen.
        fresh = self._last is not None and timedelta(0) <= self._clock.now() - self._last[0] < LIFETIME
        return self._last if fresh else None

    async def _renew(self) -> None:
        try:
            value = await self._fetch()
            self._last = (self._clock.now(), value)
        except Unavailable as error:
            logger.warning("a value cannot be renewed: %s", error)
        except Exception:
            logger.exception("a value cannot be renewed")
        finally:
            self._fetching = None
