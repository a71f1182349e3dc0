"""What a batch adds to a plugin's statistics."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from plugin_kit.erasures import digest_of
from plugin_kit.outcomes import Outcome

LATENCY_BUCKETS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 30000)


@dataclass(slots=True)
class Tally:
    """Numbers to ``add`` to attributes of the statistics, and values to ``put`` into them; times are in UTC."""

    add: Counter[str] = field(default_factory=Counter[str])
    put: dict[str, str | int] = field(default_factory=dict[str, "str | int"])

    def __bool__(self) -> bool:
        return bool(self.add)

    def count(self, outcome: Outcome) -> None:
        """Count ``outcome``; what was dropped is no delivery."""
        if outcome.result == "dropped":
            return
        at = outcome.at.isoformat()
        if outcome.result == "delivered":
            self.add["delivered"] += 1
            self.add["failed"] += 0
            self.put |= {"last_delivered_at": at, "consecutive_failures": 0}
            self.add.pop("consecutive_failures", None)
        else:
            self.add["failed"] += 1
            self.add["delivered"] += 0
            of = "" if outcome.user_id is None else digest_of(outcome.user_id)
            self.put |= {"last_error": outcome.error or "", "last_error_at": at, "last_error_of": of}
            self._count_consecutive_failure()
        if outcome.milliseconds is not None:
            self.add[_bucket(outcome.milliseconds)] += 1
        if outcome.health is not None:
            self.put |= {"health": outcome.health, "health_at": at}

    def _count_consecutive_failure(self) -> None:
        """After a delivery in the same batch the number is known; before one it is added to what is there."""
        known = self.put.get("consecutive_failures")
        if isinstance(known, int):
            self.put["consecutive_failures"] = known + 1
        else:
            self.add["consecutive_failures"] += 1


def _bucket(milliseconds: int) -> str:
    place = min(bisect_left(LATENCY_BUCKETS, milliseconds), len(LATENCY_BUCKETS) - 1)
    return f"ms_{LATENCY_BUCKETS[place]}"
