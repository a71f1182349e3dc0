"""The lease: how no hook of a disabled plugin starts once ``disable`` has answered.

The host asks the registry, with a consistent read, whether its plugin is enabled. A yes is a lease: it holds for a
fixed time from the moment that the question was *sent*, and a hook starts only while it holds. ``disable`` writes the
new state and answers LEASE_SECONDS later. A yes that the write came too late to change was asked for before the write,
so it has run out by then; every later question is answered no.

Only lengths of time are compared, never the clocks of two machines. The host lets a lease run out a little early, for
the time between the last look at it and the hook's first instruction. A no is never kept: an event that comes right
after ``enable`` has answered must not meet an old one. A lease is not kept between invocations either, because the
clock of a frozen environment may stand still.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from plugin_kit.errors import ServiceFailed

LEASE_SECONDS: Final = 0.25
_EARLY_SECONDS: Final = 0.05
_QUESTIONS: Final = 3


class Lease:
    """The lease of one invocation. ``ask`` reads the plugin's enable state consistently."""

    def __init__(self, ask: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._holds_until = clock()

    def holds(self) -> bool:
        """Return whether a hook may start now, asking where the last answer has run out.

        Raises:
            ServiceFailed: every answer took so long that it had run out when it came.
        """
        if self._clock() < self._holds_until:
            return True
        for _ in range(_QUESTIONS):
            sent = self._clock()
            if not self._ask():
                return False
            self._holds_until = sent + LEASE_SECONDS - _EARLY_SECONDS
            if self._clock() < self._holds_until:
                return True
        raise ServiceFailed(f"the registry took longer than {LEASE_SECONDS} s to say whether the plugin is enabled")
