"""Grandfather, father, son: which backups the policy keeps, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """For how many hours, days, weeks and months that have a backup the newest one of each is kept."""

    hourly: int
    daily: int
    weekly: int
    monthly: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A backup of one user. Its ``scope`` is the project that it is of, or None: only backups of one scope compare.

    ``good`` is one that is complete and in which no check has found damage. ``pinned`` is one that someone asked for.
    """

    id: str
    scope: str | None
    taken_at: datetime
    good: bool = True
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a backup is kept; without a reason it goes."""

    candidate: Candidate
    reasons: tuple[str, ...]

    @property
    def keep(self) -> bool:
        """Whether the backup stays."""
        return bool(self.reasons)


_PERIODS: Final[Mapping[str, Callable[[datetime], tuple[int, ...]]]] = MappingProxyType(
    {
        "hourly": lambda time: (time.year, time.month, time.day, time.hour),
        "daily": lambda time: (time.year, time.month, time.day),
        "weekly": lambda time: time.isocalendar()[:2],
        "monthly": lambda time: (time.year, time.month),
    }
)


def judge(candidates: Sequence[Candidate], policy: Policy) -> list[Verdict]:
    """Return what becomes of each, the newest first.

    In each period the newest good backup that was not asked for takes the place. The last good one of a scope is kept
    whatever the policy says; a damaged one is kept for as long as its scope has no good one.
    """
    newest_first = sorted(candidates, key=lambda candidate: (candidate.taken_at, candidate.id), reverse=True)
    reasons: dict[str, list[str]] = {candidate.id: [] for candidate in newest_first}
    for scope in {candidate.scope for candidate in newest_first}:
        for id_, reason in _reasons([one for one in newest_first if one.scope == scope], policy):
            reasons[id_].append(reason)
    return [Verdict(candidate, tuple(reasons[candidate.id])) for candidate in newest_first]


def _reasons(newest_first: Sequence[Candidate], policy: Policy) -> Iterator[tuple[str, str]]:
    good = [candidate for candidate in newest_first if candidate.good]
    yield from ((candidate.id, "requested") for candidate in newest_first if candidate.pinned)
    if not good:
        yield from ((candidate.id, "no good one") for candidate in newest_first)
        return
    yield good[0].id, "last good"
    counts = {"hourly": policy.hourly, "daily": policy.daily, "weekly": policy.weekly, "monthly": policy.monthly}
    for period, count in counts.items():
        seen: set[tuple[int, ...]] = set()
        for candidate in (candidate for candidate in good if not candidate.pinned):
            at = _PERIODS[period](candidate.taken_at)
            if at not in seen and len(seen) < count:
                yield candidate.id, period
                seen.add(at)
