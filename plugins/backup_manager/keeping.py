"""Applies the policy of retention to a user's backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from .retention import Candidate, Verdict, judge
from .rows import BackupRow
from .work import Work

_FAILED_FOR: Final = timedelta(days=30)
"""A failed backup has no files, and is listed for so long."""


async def verdicts(work: Work) -> list[Verdict]:
    """Return what the policy says of each complete backup, the newest first."""
    backups = await work.backups.list(["complete"])
    return judge([_candidate(backup) for backup in backups], work.configuration.policy)


async def apply_policy(work: Work) -> None:
    """Let go of what the policy does not keep, but for what is being read."""
    busy = await work.runs.busy()
    dropped = [verdict.candidate.id for verdict in await verdicts(work) if not verdict.keep]
    for backup_id in [*dropped, *await _failed_long_ago(work)]:
        if backup_id not in busy:
            await remove(work, backup_id)


async def remove(work: Work, backup_id: str) -> None:
    """Let a backup be removed by a task of its own."""
    if await work.backups.remove(backup_id):
        work.logger.info("backup %s is removed", backup_id)
        await work.memories.later("remove_backup", {"backup": backup_id})


async def _failed_long_ago(work: Work) -> list[str]:
    before = datetime.now(UTC) - _FAILED_FOR
    failed = await work.backups.list(["failed"])
    return [backup.id for backup in failed if datetime.fromisoformat(backup.requested_at) < before]


def _candidate(backup: BackupRow) -> Candidate:
    return Candidate(
        id=backup.id,
        scope=backup.project,
        taken_at=datetime.fromisoformat(backup.taken_at or backup.requested_at),
        good=backup.damage is None,
        pinned=backup.origin == "request",
    )
