"""The query parameters of the endpoints: read, and refused by name where they say what no report can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dateutil.parser import isoparse


class InvalidParameter(Exception):
    """A query parameter is wrong; the message says what would be right."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` until before ``until``; None is as late as can be: the clocks of two machines never agree."""

    since: datetime
    until: datetime | None

    def days(self) -> list[date]:
        """Return the days in UTC that the period touches, today the latest."""
        end = self.until or datetime.now(UTC)
        first = self.since.astimezone(UTC).date()
        number = ((end - timedelta(microseconds=1)).astimezone(UTC).date() - first).days + 1
        return [first + timedelta(days=day) for day in range(number)]

    def to_dict(self) -> dict[str, str | None]:
        return {"since": self.since.isoformat(), "until": None if self.until is None else self.until.isoformat()}


class Parameters:
    """The parameters of one request, of which only those that are ``known`` may be there."""

    def __init__(self, query: Mapping[str, str], known: Sequence[str]) -> None:
        for name in query:
            if name not in known:
                raise InvalidParameter(name, f"there is no such parameter: there are format, {', '.join(known)}")
        self._query = query

    def text(self, name: str) -> str | None:
        return self._query.get(name)

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return one of ``choices``, None where the parameter is left out."""
        value = self._query.get(name)
        if value is not None and value not in choices:
            raise InvalidParameter(name, f"is {value!r}: give {' or '.join(choices)}")
        return value

    def whole(self, name: str, default: int, *, most: int) -> int:
        """Return a whole number from 1 to ``most``."""
        value = self._query.get(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= most):
            raise InvalidParameter(name, f"is {value!r}: give a whole number from 1 to {most:,}")
        return int(value)

    def period(self, *, days: int, most: int = 3660) -> Period:
        """Return the period from ``since`` to ``until``; the last ``days`` days where they are left out."""
        until = self._time("until")
        end = until or datetime.now(UTC)
        today = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        since = self._time("since") or today - timedelta(days=days - 1)
        if since >= end:
            raise InvalidParameter("since", f"is {since.isoformat()}, not before until ({end.isoformat()})")
        if end - since > timedelta(days=most):
            raise InvalidParameter("since", f"is more than {most:,} days before until: narrow the two")
        return Period(since, until)

    def _time(self, name: str) -> datetime | None:
        value = self._query.get(name)
        if value is None:
            return None
        try:
            # A + of an offset that was not escaped arrives as a space.
            time = isoparse(value.replace(" ", "+"))
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (OverflowError, ValueError):
            raise InvalidParameter(
                name, f"is {value!r}: give a day such as 2026-11-22 or a time such as 2026-11-22T12:00:00Z"
            ) from None
