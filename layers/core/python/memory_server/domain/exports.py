"""Exports of all that is a user's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

LIFETIME: Final = timedelta(days=1)
"""For so long an export is kept."""
LONGEST: Final = timedelta(minutes=40)
"""What takes longer has died: Lambda ends a function after 15 minutes, and tries once more."""

ExportStatus: TypeAlias = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExport:
    """An export. ``lines`` are those that are written by now, ``size`` the bytes of the file once it is there."""

    export_id: str
    created_at: datetime
    ended_at: datetime | None
    lines: int
    size: int | None
    error: str | None

    @property
    def expires_at(self) -> datetime:
        """The time at which it is gone."""
        return self.created_at + LIFETIME

    def status(self, now: datetime) -> ExportStatus:
        """Return how it stands."""
        if self.ended_at is None and now < self.created_at + LONGEST:
            return "running"
        return "done" if self.size is not None else "failed"
