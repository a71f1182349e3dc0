"""What is written down of backups and of what is done with them. Everything is by user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from plugin_kit.context import DatabaseService
from plugin_kit.json_types import JsonObject, JsonValue

from .contents import Manifest
from .rows import BackupRow, PartRow, columns

BACKUP: Final = columns(BackupRow)
PART: Final = columns(PartRow)

_ADD = f"""
INSERT INTO backups (id, user_id, project, origin, cause, state) VALUES (%s::uuid, %s, %s, %s, %s, 'reading')
ON CONFLICT (user_id, cause) DO NOTHING RETURNING {BACKUP}
"""  # noqa: S608  # only names of columns are put in, here and below
_GET = f"SELECT {BACKUP} FROM backups WHERE user_id = %s AND id = %s::uuid"  # noqa: S608
_LIST = f"""
SELECT {BACKUP} FROM backups WHERE user_id = %s AND state = ANY(%s) ORDER BY requested_at DESC, id DESC LIMIT %s
"""  # noqa: S608
_READ = """
WITH read AS (
    UPDATE backups SET state = 'storing', taken_at = %s::timestamptz, memories = %s, versions = %s, models = %s::text[],
        key_name = %s, touched_at = now(), tries = 0, error = NULL
    WHERE user_id = %s AND id = %s::uuid AND state = 'reading' RETURNING id
), added AS (
    INSERT INTO parts (backup_id, number, kind, source, rows, bytes, sha256)
    SELECT read.id, part.ordinality - 1, part.value->>'kind', part.value->>'name', (part.value->>'rows')::bigint,
        (part.value->>'bytes')::bigint, part.value->>'sha256'
    FROM read, jsonb_array_elements(%s->'parts') WITH ORDINALITY AS part
)
SELECT id FROM read
"""
_CLAIM = f"""
UPDATE parts SET attempts = attempts + 1
WHERE (backup_id, number) = (
    SELECT backup_id, number FROM parts WHERE backup_id = %s::uuid AND name IS NULL ORDER BY number LIMIT 1
) RETURNING {PART}
"""  # noqa: S608
_STORED = """
WITH stored AS (
    UPDATE parts SET name = %s, stored_bytes = %s, stored_sha256 = %s
    WHERE backup_id = %s::uuid AND number = %s AND name IS NULL
        AND EXISTS (SELECT FROM backups WHERE id = backup_id AND user_id = %s AND state = 'storing')
    RETURNING backup_id
)
UPDATE backups SET touched_at = now(), tries = 0, error = NULL FROM stored WHERE id = backup_id RETURNING id
"""
_PARTS = f"SELECT {PART} FROM parts WHERE backup_id = %s::uuid ORDER BY number"  # noqa: S608
_CLAIM_MANIFEST = """
UPDATE backups SET manifests = manifests + 1 WHERE user_id = %s AND id = %s::uuid AND state = 'storing'
RETURNING manifests
"""
_COMPLETE = """
UPDATE backups SET state = 'complete', completed_at = now(), manifest_name = %s, manifest_sha256 = %s,
    touched_at = now(), error = NULL
WHERE user_id = %s AND id = %s::uuid AND state = 'storing' RETURNING id
"""
_TROUBLE = """
UPDATE backups SET tries = tries + 1, error = %s, touched_at = now() WHERE user_id = %s AND id = %s::uuid
RETURNING tries
"""
_END = """
UPDATE backups SET state = %s, error = %s, touched_at = now(), tries = 0
WHERE user_id = %s AND id = %s::uuid AND state = ANY(%s) RETURNING id
"""
_CHECKED = """
UPDATE backups SET verified_at = now(), damage = %s WHERE user_id = %s AND id = %s::uuid AND state = 'complete'
"""
_TESTED = "UPDATE backups SET tested_at = now(), test = %s WHERE user_id = %s AND id = %s::uuid"
_CLEARED = """
WITH cleared AS (DELETE FROM parts WHERE backup_id = %s::uuid)
DELETE FROM backups WHERE id = %s::uuid AND user_id = %s AND state = 'removing'
"""
_ADOPT = """
WITH adopted AS (
    INSERT INTO backups (id, user_id, project, origin, cause, state, requested_at, taken_at, completed_at, memories,
        versions, models, key_name, manifests, manifest_name, manifest_sha256)
    VALUES (%s::uuid, %s, %s, %s, 'adopted ' || %s, 'complete', %s::timestamptz, %s::timestamptz, now(), %s, %s,
        %s::text[], %s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO parts (backup_id, number, kind, source, rows, bytes, sha256, attempts, name, stored_bytes, stored_sha256)
SELECT adopted.id, part.number, part.kind, '', part.rows, part.bytes, part.sha256,
    split_part(part.name, '.', 2)::integer, part.name, part.stored_bytes, part.stored_sha256
FROM adopted, jsonb_to_recordset(%s->'parts') AS part (
    number integer, kind text, rows bigint, bytes bigint, sha256 text, name text, stored_bytes bigint,
    stored_sha256 text
)
"""

UNDER_WAY: Final = ("reading", "storing")
STATES: Final = ("reading", "storing", "complete", "failed", "removing")


class Backups:
    """The backups of ``user_id``."""

    def __init__(self, database: DatabaseService, user_id: str) -> None:
        self._database = database
        self._user_id = user_id

    async def add(self, backup_id: str, project: str | None, origin: str, cause: str) -> BackupRow | None:
        """Note a backup that begins; return None where ``cause`` began one already."""
        return await self._one(_ADD, [backup_id, self._user_id, project, origin, cause])

    async def get(self, backup_id: str) -> BackupRow | None:
        """Return a backup, None where the user has none of this id."""
        return await self._one(_GET, [self._user_id, backup_id])

    async def list(self, states: Sequence[str] = STATES, limit: int = 10_000) -> list[BackupRow]:
        """Return backups in any of ``states``, the newest first."""
        rows = await self._database.query(_LIST, [self._user_id, list(states), limit])
        return [BackupRow.of(row) for row in rows]

    async def read(self, backup_id: str, snapshot: JsonObject, key_name: str) -> bool:
        """Note what the server read; return whether it is the first to be read for this backup."""
        values = [snapshot["taken_at"], snapshot["memories"], snapshot["versions"], snapshot["models"], key_name]
        return await self._did(_READ, [*values, self._user_id, backup_id, snapshot])

    async def claim_part(self, backup_id: str) -> PartRow | None:
        """Return the next part to store, with the number of this attempt; None where all are stored."""
        rows = await self._database.execute(_CLAIM, [backup_id])
        return PartRow.of(rows[0]) if rows else None

    async def stored(self, backup_id: str, number: int, name: str, size: int, sha256: str) -> bool:
        """Note that a part is stored; return False where another attempt was faster, or nobody wants it any more."""
        return await self._did(_STORED, [name, size, sha256, backup_id, number, self._user_id])

    async def parts(self, backup_id: str) -> list[PartRow]:  # pyright: ignore[reportInvalidTypeForm]
        """Return the parts of a backup in order."""
        return [PartRow.of(row) for row in await self._database.query(_PARTS, [backup_id])]

    async def claim_manifest(self, backup_id: str) -> int | None:
        """Return the number of this attempt to write the manifest, None where the backup is not being stored."""
        rows = await self._database.execute(_CLAIM_MANIFEST, [self._user_id, backup_id])
        return cast(int, rows[0]["manifests"]) if rows else None

    async def complete(self, backup_id: str, manifest_name: str, manifest_sha256: str) -> bool:
        """Let a backup be complete; return False where another attempt was faster, or nobody wants it any more."""
        return await self._did(_COMPLETE, [manifest_name, manifest_sha256, self._user_id, backup_id])

    async def trouble(self, backup_id: str, error: str) -> int:
        """Note that a step failed, and return how many did in a row."""
        rows = await self._database.execute(_TROUBLE, [error, self._user_id, backup_id])
        return cast(int, rows[0]["tries"]) if rows else 0

    async def fail(self, backup_id: str, error: str) -> bool:
        """Let a backup that is under way have failed."""
        return await self._did(_END, ["failed", error, self._user_id, backup_id, list(UNDER_WAY)])

    async def remove(self, backup_id: str) -> bool:
        """Let the files of a backup, and then the backup, be removed."""
        return await self._did(_END, ["removing", None, self._user_id, backup_id, list(STATES)])

    async def cleared(self, backup_id: str) -> None:
        """Forget the parts of a backup, whose files are gone, and the backup itself if it is to be removed."""
        await self._database.execute(_CLEARED, [backup_id, backup_id, self._user_id])

    async def checked(self, backup_id: str, damage: str | None) -> None:
        """Note what a check of all parts has found."""
        await self._database.execute(_CHECKED, [damage, self._user_id, backup_id])

    async def tested(self, backup_id: str, test: JsonObject) -> None:
        """Note what a test restore has found."""
        await self._database.execute(_TESTED, [test, self._user_id, backup_id])

    async def adopt(self, manifest: Manifest, key_name: str, name: str, sha256: str) -> None:
        """Note a complete backup of which the database knows nothing."""
        values: list[JsonValue] = [manifest.backup, self._user_id, manifest.project, manifest.origin, manifest.backup]
        values += [manifest.requested_at, manifest.taken_at, manifest.memories, manifest.versions]
        values += [list(manifest.models), key_name, int(name.rpartition(".")[2]), name, sha256, manifest.to_json()]
        await self._database.execute(_ADOPT, values)

    async def _one(self, sql: str, values: Sequence[JsonValue]) -> BackupRow | None:
        rows = await self._database.execute(sql, values)
        return BackupRow.of(rows[0]) if rows else None

    async def _did(self, sql: str, values: Sequence[JsonValue]) -> bool:
        return bool(await self._database.execute(sql, values))
