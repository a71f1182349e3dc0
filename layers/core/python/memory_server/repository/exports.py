"""What is known of exports, for the user whom a transaction is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from psycopg.rows import DictRow

from memory_server.domain.errors import ExportNotFound
from memory_server.domain.exports import LIFETIME, LONGEST, DataExport
from memory_server.repository.pool import Connection
from memory_server.repository.rows import uuid_of

_FORGET: Final = """
    DELETE FROM exports WHERE created_at < now() - %s OR (ended_at IS NULL AND created_at < now() - %s)
"""
_ADD: Final = """
    INSERT INTO exports (user_id, id) VALUES (current_setting('app.user_id'), %s) ON CONFLICT DO NOTHING
"""
_NEWEST: Final = "SELECT * FROM exports WHERE created_at >= now() - %s ORDER BY ended_at IS NOT NULL, created_at DESC"
_GET: Final = "SELECT * FROM exports WHERE id = %s AND created_at >= now() - %s"
_DELETE: Final = "DELETE FROM exports WHERE id = %s"


class PostgresExportRecords:
    """Implements export_ports.ExportRecords."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, export_id: str) -> DataExport:
        await self._connection.execute(_FORGET, [LIFETIME, LONGEST])
        await self._connection.execute(_ADD, [export_id])
        return (await self.list())[0]

    async def get(self, export_id: str) -> DataExport:
        cursor = await self._connection.execute(_GET, [uuid_of(export_id), LIFETIME])
        row = await cursor.fetchone()
        if row is None:
            raise ExportNotFound(export_id)
        return _export(row)

    async def list(self) -> Sequence[DataExport]:
        cursor = await self._connection.execute(_NEWEST, [LIFETIME])
        return [_export(row) for row in await cursor.fetchall()]

    async def delete(self, export_id: str) -> None:
        if not (await self._connection.execute(_DELETE, [uuid_of(export_id)])).rowcount:
            raise ExportNotFound(export_id)


def _export(row: DictRow) -> DataExport:
    return DataExport(
        export_id=str(row["id"]),
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        lines=row["lines"],
        size=row["bytes"],
        error=row["error"],
    )
