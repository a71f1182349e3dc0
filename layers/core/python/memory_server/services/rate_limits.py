"""How often a user, and a key of theirs, may ask: so many requests a minute."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Final

from memory_server.domain.errors import TooManyRequests, Unavailable
from memory_server.domain.principals import Principal
from memory_server.services.key_ports import RequestCounter
from memory_server.services.ports import Clock

WINDOW_SECONDS: Final = 60

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Of ``quota`` requests a minute, ``remaining`` are left for the next ``seconds``."""

    quota: int
    remaining: int
    seconds: int


class RateLimits:
    """Counts requests by the minute, for all processes together; those of this process alone while nobody else can.

    ``requests_a_minute`` is what each user may ask, 0 for any number. A key may have a lower limit of its own.
    """

    def __init__(self, counter: RequestCounter, clock: Clock, requests_a_minute: int) -> None:
        self._counter = counter
        self._clock = clock
        self._requests_a_minute = requests_a_minute
        self._minute = 0
        self._here = Counter[str]()

    async def admit(self, principal: Principal) -> RateLimit | None:
        """Count a request; return the limit that is nearest, None where there is none.

        Raises:
            TooManyRequests: it is one too many.
        """
        quotas: dict[str, int] = {}
        if self._requests_a_minute:
            quotas[f"user:{principal.user_id}"] = self._requests_a_minute
        if principal.requests_a_minute is not None:
            quotas[f"key:{principal.credential_id}"] = principal.requests_a_minute
        limits = [await self._count(name, quota) for name, quota in quotas.items()]
        return min(limits, key=lambda limit: limit.remaining, default=None)

    async def _count(self, name: str, quota: int) -> RateLimit:
        minute, second = divmod(int(self._clock.now().timestamp()), WINDOW_SECONDS)
        if minute != self._minute:
            self._minute = minute
            self._here.clear()
        self._here[name] += 1
        seconds = WINDOW_SECONDS - second
        if self._here[name] > quota:  # whatever the others counted
            raise TooManyRequests(quota, seconds)
        try:
            used = await self._counter.add(name, minute)
        except Unavailable as error:
            logger.warning("requests are counted by this process alone: %s", error)
            used = self._here[name]
        if used > quota:
            raise TooManyRequests(quota, seconds)
        return RateLimit(quota, quota - used, seconds)
