"""Removes the files of a backup that failed or is not wanted, whatever of it there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .contents import manifest_name, part_name
from .rows import BackupRow, PartRow
from .work import Work


async def clear(work: Work, backup_id: str) -> None:
    """Delete all that attempts to store the backup may have written; then forget it, if it is being removed."""
    backup = await work.backups.get(backup_id)
    if backup is not None and backup.state in {"failed", "removing"}:
        await work.delete_files(_names(backup, await work.backups.parts(backup_id)))
        await work.backups.cleared(backup_id)


def _names(backup: BackupRow, parts: Sequence[PartRow]) -> Iterator[str]:
    # The manifest first: what is left when this is cut short does not look like a backup.
    for attempt in range(1, backup.manifests + 1):
        yield manifest_name(backup.id, attempt)
    for part in parts:
        if part.source:
            yield part.source
        for attempt in range(1, part.attempts + 1):
            yield part_name(backup.id, part.number, attempt)
