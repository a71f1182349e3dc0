"""A plugin's SQL, on connections that logged in as the plugin's own role."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final, LiteralString, cast

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from memory_server.domain.errors import AnswerTooLarge, InvalidRequest
from memory_server.repository.json_values import json_row
from memory_server.repository.plugin_connections import PluginConnections
from memory_server.repository.plugin_schemas import plugin_role
from memory_server.repository.pool import Connection
from plugin_kit.json_types import JsonObject, dumps

_TIMEOUT_MILLISECONDS: Final = 5_000
_MAX_ROWS: Final = 10_000
_MAX_BYTES: Final = 4 * 1024 * 1024
_TOO_MUCH: Final = f"the result is over {_MAX_ROWS} rows or {_MAX_BYTES >> 20} MB: ask for less, with LIMIT"
# Conditions of the server, not of the statement: connection lost, conflict with another, resources, shutdown.
_OF_THE_SERVER: Final = ("08", "40", "53", "57P", "58", "XX")


class PostgresPluginSql:
    """Implements ports.PluginSql."""

    def __init__(self, host: str, port: int, name: str, *, server_secret: str) -> None:
        self._connections = PluginConnections(host, port, name, server_secret=server_secret)

    async def execute(
        self, plugin_id: str, sql: str, parameters: Sequence[object], *, read_only: bool
    ) -> list[JsonObject]:
        async with self._connections.transaction(plugin_role(plugin_id)) as connection, _statement_faults():
            if read_only:
                await connection.execute("SET TRANSACTION READ ONLY")
            # A query, so that it also fixes the transaction's snapshot: from here on, SQL cannot make it writable.
            await connection.execute("SELECT set_config('statement_timeout', %s, true)", [str(_TIMEOUT_MILLISECONDS)])
            return await _rows(connection, sql, parameters)

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()


async def _stream(connection: Connection, sql: str, parameters: Sequence[object]) -> AsyncGenerator[DictRow]:
    """Run one statement and yield its rows one by one, so that too many can be refused before they fill memory."""
    # The plugin's SQL is no literal: what it can do is bounded by the role, not by the text. Streaming also goes by
    # the extended protocol, which takes one statement alone.
    query = cast(LiteralString, sql)
    values = [_parameter(value) for value in parameters] or None
    async with connection.cursor() as cursor:
        try:
            async for row in cursor.stream(query, values):
                yield row
        except psycopg.ProgrammingError as error:
            # The driver's word for a statement that ran and has no rows, such as an INSERT.
            if error.sqlstate is not None or "didn't produce a result" not in str(error):
                raise


async def _rows(connection: Connection, sql: str, parameters: Sequence[object]) -> list[JsonObject]:
    rows: list[JsonObject] = []
    size = 0
    async with aclosing(_stream(connection, sql, parameters)) as stream:
        async for row in stream:
            rows.append(json_row(row))
            size += len(dumps(rows[-1]).encode())
            if len(rows) > _MAX_ROWS or size > _MAX_BYTES:
                raise AnswerTooLarge.of("sql", _TOO_MUCH)
    return rows


@asynccontextmanager
async def _statement_faults() -> AsyncGenerator[None]:
    """Tell the plugin what PostgreSQL, or the driver, says of its statement."""
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise InvalidRequest.of("sql", f"the statement took over {_TIMEOUT_MILLISECONDS // 1000} s") from error
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08").startswith(_OF_THE_SERVER):
            raise
        raise InvalidRequest.of("sql", error.diag.message_primary or str(error)) from error


def _parameter(value: object) -> object:
    """Return a JSON value as the driver takes it: an object as jsonb, a list as an array."""
    if isinstance(value, Mapping):
        return Jsonb(value, dumps)
    if isinstance(value, list):
        return [_parameter(item) for item in cast("list[object]", value)]
    return value
