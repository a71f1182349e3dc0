"""What is written down of the runs: verifications, restores and tests of backups. Everything is by user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict, cast

from plugin_kit.context import DatabaseService
from plugin_kit.json_types import JsonObject

from .rows import RunRow, columns

RUN: Final = columns(RunRow)

_ADD = f"""
INSERT INTO runs (id, backup_id, user_id, cause, purpose, dry_run, conflict, project, state, parts)
SELECT %s::uuid, id, user_id, %s, %s, %s, %s, %s, 'checking', (SELECT count(*) FROM parts WHERE backup_id = backups.id)
FROM backups WHERE user_id = %s AND id = %s::uuid AND state = 'complete'
ON CONFLICT (user_id, cause) DO NOTHING RETURNING {RUN}
"""  # noqa: S608  # only names of columns are put in, here and below
_GET = f"SELECT {RUN} FROM runs WHERE user_id = %s AND id = %s::uuid"  # noqa: S608
_OF_BACKUP = f"""
SELECT {RUN} FROM runs WHERE user_id = %s AND backup_id = %s::uuid ORDER BY requested_at DESC, id DESC LIMIT 20
"""  # noqa: S608
_BUSY = "SELECT DISTINCT backup_id FROM runs WHERE user_id = %s AND state IN ('checking', 'loading')"
_ADVANCED = """
UPDATE runs SET position = greatest(position, %s), touched_at = now(), tries = 0, error = NULL
WHERE user_id = %s AND id = %s::uuid AND state = 'checking'
"""
_LOADING = """
UPDATE runs SET touched_at = now(), error = NULL, state = 'loading',
    tries = CASE state WHEN 'loading' THEN tries ELSE 0 END -- the server is asked again less and less often
WHERE user_id = %s AND id = %s::uuid AND state IN ('checking', 'loading') RETURNING id
"""
_END = """
UPDATE runs SET state = %s, error = %s, result = %s, completed_at = now(), touched_at = now()
WHERE user_id = %s AND id = %s::uuid AND state IN ('checking', 'loading') RETURNING id
"""
_CLEARED = "UPDATE runs SET cleared = true WHERE user_id = %s AND id = %s::uuid"
_TROUBLE = """
UPDATE runs SET tries = tries + 1, error = %s, touched_at = now() WHERE user_id = %s AND id = %s::uuid RETURNING tries
"""


class RunOptions(TypedDict):
    """How a backup is restored."""

    dry_run: bool
    conflict: str
    project: str | None


class Runs:
    """The runs of ``user_id``."""

    def __init__(self, database: DatabaseService, user_id: str) -> None:
        self._database = database
        self._user_id = user_id

    async def add(self, run_id: str, backup_id: str, purpose: str, cause: str, options: RunOptions) -> RunRow | None:
        """Note a run that begins; return None where the backup is not complete, or ``cause`` began one already."""
        chosen = [options["dry_run"], options["conflict"], options["project"]]
        rows = await self._database.execute(_ADD, [run_id, cause, purpose, *chosen, self._user_id, backup_id])
        return RunRow.of(rows[0]) if rows else None

    async def get(self, run_id: str) -> RunRow | None:
        """Return a run, None where the user has none of this id."""
        rows = await self._database.query(_GET, [self._user_id, run_id])
        return RunRow.of(rows[0]) if rows else None

    async def of_backup(self, backup_id: str) -> Sequence[RunRow]:
        """Return the latest runs of a backup, the newest first."""
        return [RunRow.of(row) for row in await self._database.query(_OF_BACKUP, [self._user_id, backup_id])]

    async def busy(self) -> frozenset[str]:
        """Return the ids of the backups that a run reads now."""
        rows = await self._database.query(_BUSY, [self._user_id])
        return frozenset(str(row["backup_id"]) for row in rows)

    async def advanced(self, run_id: str, position: int) -> None:
        """Note how many parts are checked."""
        await self._database.execute(_ADVANCED, [position, self._user_id, run_id])

    async def loading(self, run_id: str) -> bool:
        """Note that all parts are checked and the server is about to load them."""
        return bool(await self._database.execute(_LOADING, [self._user_id, run_id]))

    async def end(self, run_id: str, error: str | None, result: JsonObject | None = None) -> bool:
        """Let a run have ended, in ``error`` or well; return False where it had ended already."""
        state = "complete" if error is None else "failed"
        return bool(await self._database.execute(_END, [state, error, result, self._user_id, run_id]))

    async def cleared(self, run_id: str) -> None:
        """Note that what was unpacked for a run that has ended is gone."""
        await self._database.execute(_CLEARED, [self._user_id, run_id])

    async def trouble(self, run_id: str, error: str) -> int:
        """Note that a step failed, and return how many did in a row."""
        rows = await self._database.execute(_TROUBLE, [error, self._user_id, run_id])
        return cast(int, rows[0]["tries"]) if rows else 0
