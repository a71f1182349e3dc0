"""Snapshots in PostgreSQL: one transaction, and rows that are read as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from psycopg import sql

from memory_server.domain.principals import Principal
from memory_server.domain.queries import MemoryFilter
from memory_server.repository.errors import database_errors
from memory_server.repository.pool import Connection, RolePool
from memory_server.repository.rows import filter_json
from memory_server.repository.sql import statement_with
from memory_server.services.transfer_ports import OpenSnapshot

_BEGIN: Final = "SELECT set_config('app.user_id', %s, true), now() AS taken_at"
BLOCK_BYTES: Final = 256 * 1024
_MODELS: Final = """
    SELECT DISTINCT embedding_model FROM memories WHERE matches(memories, %s) ORDER BY embedding_model
"""


class PostgresSnapshots:
    """Implements transfer_ports.SnapshotSource, by the role memory_bulk."""

    def __init__(self, pool: RolePool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def open(
        self, principal: Principal, where: MemoryFilter, *, embeddings: bool
    ) -> AsyncGenerator[OpenSnapshot]:
        condition = sql.Literal(filter_json(where))
        async with self._pool.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            begun = await (await connection.execute(_BEGIN, [principal.user_id])).fetchone()
            assert begun is not None  # noqa: S101  # a SELECT without FROM has one row
            memories = "snapshot_embedded" if embeddings else "snapshot_memories"
            yield OpenSnapshot(
                taken_at=begun["taken_at"],
                models=await _models(connection, where) if embeddings else [],
                memories=_blocks(connection, statement_with(memories, filter=condition)),
                versions=_blocks(connection, statement_with("snapshot_versions", filter=condition)),
            )


async def _models(connection: Connection, where: MemoryFilter) -> list[str]:
    rows = await (await connection.execute(_MODELS, [filter_json(where)])).fetchall()
    return [str(row["embedding_model"]) for row in rows]


async def _blocks(connection: Connection, query: sql.Composed) -> AsyncIterator[bytes]:
    """Yield what is copied a block at a time: handing on each row would take as long as reading it."""
    block = bytearray()
    with database_errors():
        async with connection.cursor().copy(query) as copy:
            async for row in copy:
                block += row
                if len(block) >= BLOCK_BYTES:
                    yield bytes(block)
                    block.clear()
    if block:
        yield bytes(block)
