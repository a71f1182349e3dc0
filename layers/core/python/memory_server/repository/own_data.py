"""All that the database has of a user: one snapshot, which the connections of the plugins' roles share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Final, TypeAlias
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from memory_server.domain.passwords import role_password
from memory_server.repository.pool import Connection, RolePool
from memory_server.repository.roles import PLUGIN_PREFIX
from memory_server.services.export_ports import DataTable, OpenData
from memory_server.services.transfer_requests import ExportRequest

_USER: Final = "SELECT set_config('app.user_id', %s, true)"
_BEGIN: Final = "SELECT set_config('app.user_id', %s, true), now() AS taken_at, pg_export_snapshot() AS snapshot"
_SCHEMAS: Final = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY nspname"
# Every table with a column user_id, so that a new one is in the exports without anybody's thinking of it. What the
# server derives is told by its type.
_TABLES: Final = """
    SELECT relname AS name, array_agg(attname::text ORDER BY attnum) FILTER (
        WHERE format_type(atttypid, NULL) NOT IN ('halfvec', 'vector', 'tsvector', 'bytea')
    ) AS columns
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND attnum > 0 AND NOT attisdropped
    GROUP BY relname HAVING bool_or(attname = 'user_id')
    ORDER BY relname
"""
# The text of a JSON object has neither the quote nor the delimiter, so CSV changes nothing of it.
_COPY: Final = """
    COPY (SELECT row_to_json(line) FROM (SELECT {columns} FROM {table} WHERE user_id::text = {user}) AS line)
    TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')
"""
_PROGRESS: Final = "UPDATE exports SET lines = %s WHERE id = %s AND ended_at IS NULL"
_END: Final = """
    UPDATE exports SET bytes = %s, error = %s, ended_at = now() WHERE id = %s AND ended_at IS NULL
"""
_PIECE_BYTES: Final = 256 * 1024
# What a plugin did to its tables keeps nobody from the rest of their data for longer.
_PLUGIN_TIMEOUT: Final = "120s"

Login: TypeAlias = "tuple[str, int, str]"


class PostgresOwnData:
    """Implements export_ports.DataSource, by the role memory_bulk. ``where`` is the host, the port and the database."""

    def __init__(self, pool: RolePool, where: Login, *, server_secret: str) -> None:
        self._pool = pool
        self._where = where
        self._secret = server_secret

    @asynccontextmanager
    async def open(self, user_id: str) -> AsyncGenerator[OpenData]:
        async with self._pool.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            begun = await (await connection.execute(_BEGIN, [user_id])).fetchone()
            assert begun is not None  # noqa: S101  # a SELECT without FROM has one row
            missing: list[str] = []
            tables = self._tables(connection, str(begun["snapshot"]), user_id, missing)
            yield OpenData(begun["taken_at"], tables, missing)

    async def progress(self, request: ExportRequest, lines: int) -> bool:
        return await self._note(request, _PROGRESS, [lines, request.export_id])

    async def end(self, request: ExportRequest, *, size: int | None, error: str | None) -> bool:
        return await self._note(request, _END, [size, error, request.export_id])

    async def _note(self, request: ExportRequest, statement: str, values: list[object]) -> bool:
        async with self._pool.transaction() as connection:
            await connection.execute(_USER, [request.user_id])
            return (await connection.execute(statement.encode(), values)).rowcount == 1

    async def _tables(
        self, connection: Connection, snapshot: str, user_id: str, missing: list[str]
    ) -> AsyncGenerator[DataTable]:
        async for table in _tables_of(connection, "public", user_id, folder=""):
            yield table
        schemas = await (await connection.execute(_SCHEMAS, [PLUGIN_PREFIX])).fetchall()
        for schema in [str(row["nspname"]) for row in schemas]:
            plugin_id = schema.removeprefix(PLUGIN_PREFIX)
            try:
                async with self._as_plugin(schema, snapshot) as plugin:
                    async for table in _tables_of(plugin, schema, user_id, folder=f"plugins/{plugin_id}/"):
                        yield DataTable(table.name, _tolerated(table, missing))
            except psycopg.Error as error:
                missing.append(f"the tables of the plugin {plugin_id}: {error}")

    @asynccontextmanager
    async def _as_plugin(self, role: str, snapshot: str) -> AsyncGenerator[Connection]:
        host, port, name = self._where
        async with await psycopg.AsyncConnection[DictRow].connect(
            host=host, port=port, dbname=name, user=role, password=role_password(self._secret, role),
            connect_timeout=5, row_factory=dict_row,
        ) as connection:  # fmt: skip
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            await connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            await connection.execute("SELECT set_config('statement_timeout', %s, true)", [_PLUGIN_TIMEOUT])
            yield connection


async def _tables_of(connection: Connection, schema: str, user_id: str, *, folder: str) -> AsyncGenerator[DataTable]:
    for row in await (await connection.execute(_TABLES, [schema])).fetchall():
        query = sql.SQL(_COPY).format(
            columns=sql.SQL(", ").join(map(sql.Identifier, row["columns"])),
            table=sql.Identifier(schema, row["name"]),
            user=sql.Literal(user_id),
        )
        yield DataTable(f"{folder}{quote(row['name'], safe='')}", _pieces(connection, query))


async def _tolerated(table: DataTable, missing: list[str]) -> AsyncGenerator[tuple[bytes, int]]:
    """Yield the pieces of a plugin's table. One that fails keeps nobody from the rest of their data."""
    try:
        async with aclosing(table.pieces) as pieces:
            async for piece in pieces:
                yield piece
    except psycopg.Error as error:
        missing.append(f"rows of {table.name}: {error}")


async def _pieces(connection: Connection, query: sql.Composed) -> AsyncGenerator[tuple[bytes, int]]:
    piece, lines = bytearray(), 0
    async with connection.cursor().copy(query) as copy:
        async for line in copy:
            piece += line
            lines += 1
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece), lines
                piece, lines = bytearray(), 0
    if piece:
        yield bytes(piece), lines
