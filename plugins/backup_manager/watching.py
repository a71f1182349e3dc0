"""Takes up what lies: a crash can lose the task that would have gone on with a backup or a run."""

from __future__ import annotations

from typing import Final

from plugin_kit.context import DatabaseService

from . import making, restoring
from .removing import clear
from .rows import BackupRow, RunRow, columns
from .work import MAX_TRIES, Work

# A step takes less than half a minute. What does not go on although it was taken up is left alone for longer and
# longer, for the server may be at work on a large snapshot.
_LIES: Final = "touched_at < now() - make_interval(secs => 60 * 2 ^ least(tries, 4))"
_OPEN_BACKUP: Final = """(
    state IN ('reading', 'storing', 'removing')
    OR state = 'failed' AND (manifests > 0 OR EXISTS (SELECT FROM parts WHERE backup_id = id))
)"""
_ADVICE: Final = "look into the plugin's log, and then begin anew"
_OPEN_RUN: Final = "(state IN ('checking', 'loading') OR NOT cleared)"

_ANY = f"""
SELECT EXISTS (SELECT FROM backups WHERE {_OPEN_BACKUP} AND {_LIES})
    OR EXISTS (SELECT FROM runs WHERE {_OPEN_RUN} AND {_LIES}) AS lies
"""  # noqa: S608  # only the constants above are put in, here and below
_BACKUPS = f"""
UPDATE backups SET touched_at = now(), tries = tries + 1 WHERE user_id = %s AND {_OPEN_BACKUP} AND {_LIES}
RETURNING {columns(BackupRow)}
"""  # noqa: S608
_RUNS = f"""
UPDATE runs SET touched_at = now(), tries = tries + 1 WHERE user_id = %s AND {_OPEN_RUN} AND {_LIES}
RETURNING {columns(RunRow)}
"""  # noqa: S608


async def anything_lies(database: DatabaseService) -> bool:
    """Return whether a backup or a run of any user has not gone on for too long."""
    (row,) = await database.query(_ANY)
    return bool(row["lies"])


async def take_up(work: Work, database: DatabaseService) -> None:
    """Go on with what lies of this user."""
    for row in await database.execute(_BACKUPS, [work.user_id]):
        await _take_up_backup(work, BackupRow.of(row))
    for row in await database.execute(_RUNS, [work.user_id]):
        run = RunRow.of(row)
        if run.state in {"complete", "failed"}:
            await restoring.clear(work, run)
        elif run.tries > MAX_TRIES:
            await restoring.fail(work, run, f"it did not go on, although it was tried {MAX_TRIES} times: {_ADVICE}")
        else:
            await work.memories.later("advance_run", {"run": run.id})


async def _take_up_backup(work: Work, backup: BackupRow) -> None:
    if backup.state in {"removing", "failed"}:
        await clear(work, backup.id)
    elif backup.tries > MAX_TRIES:
        await making.fail(work, backup.id, f"it did not go on, although it was tried {MAX_TRIES} times: {_ADVICE}")
    elif backup.state == "reading":
        await making.take_snapshot(work, backup)
    else:
        await work.memories.later("advance_backup", {"backup": backup.id})
