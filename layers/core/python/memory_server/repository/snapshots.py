"""Snapshots in PostgreSQL: one transaction, and rows that are read as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Final, LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from memory_server.domain.principals import Principal
from memory_server.domain.queries import MemoryFilter
from memory_server.repository.errors import database_errors
from memory_server.repository.rows import filter_json
from memory_server.repository.sql import statement_with
from memory_server.services.transfer_ports import OpenSnapshot

BLOCK_BYTES: Final = 1024 * 1024
_BEGIN: Final = "SELECT now(), set_config('app.user_id', %s, true)"
_MODELS: Final = """
    SELECT DISTINCT embedding_model FROM memories WHERE matches(memories, %s) ORDER BY embedding_model
"""

T = TypeVar("T")


class PostgresSnapshots:
    """Implements transfer_ports.SnapshotSource, by the role whose login is given.

    A snapshot has a connection and a thread of its own: in the event loop, each row would take three times as long.
    """

    def __init__(self, host: str, port: int, name: str, *, user: str, password: str) -> None:
        self._connect = partial(
            psycopg.connect, host=host, port=port, dbname=name, user=user, password=password, connect_timeout=5
        )

    @asynccontextmanager
    async def open(
        self, principal: Principal, where: MemoryFilter, *, embeddings: bool
    ) -> AsyncGenerator[OpenSnapshot]:
        condition = sql.Literal(filter_json(where))
        memories = "snapshot_embedded" if embeddings else "snapshot_memories"
        with ThreadPoolExecutor(max_workers=1) as thread:
            reader = _Reader(thread, await _in(thread, self._connect))
            try:
                yield OpenSnapshot(
                    taken_at=await reader.begin(principal),
                    models=await reader.models(where) if embeddings else [],
                    memories=reader.blocks(statement_with(memories, filter=condition)),
                    versions=reader.blocks(statement_with("snapshot_versions", filter=condition)),
                )
            finally:
                await reader.close()


class _Reader:
    """Reads in one transaction, in ``thread`` alone."""

    def __init__(self, thread: ThreadPoolExecutor, connection: psycopg.Connection) -> None:
        self._thread = thread
        self._connection = connection
        self._copies: list[Generator[bytes]] = []

    async def begin(self, principal: Principal) -> datetime:
        """Begin the transaction and return its moment."""
        await self._rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        ((moment, _),) = await self._rows(_BEGIN, principal.user_id)
        return moment

    async def models(self, where: MemoryFilter) -> list[str]:
        return [str(model) for (model,) in await self._rows(_MODELS, filter_json(where))]

    async def blocks(self, query: sql.Composed) -> AsyncIterator[bytes]:
        """Yield what is copied a block at a time: handing on each row would take as long as reading it."""
        copy = _copy(self._connection, query)
        self._copies.append(copy)
        while (block := await _in(self._thread, partial(next, copy, None))) is not None:
            yield block

    async def close(self) -> None:
        """Stop whatever is still copied."""
        for end in (*(copy.close for copy in self._copies), self._connection.close):
            await _in(self._thread, end)

    async def _rows(self, query: LiteralString, *values: object) -> list[TupleRow]:
        def rows() -> list[TupleRow]:
            cursor = self._connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

        return await _in(self._thread, rows)


async def _in(thread: ThreadPoolExecutor, do: Callable[[], T]) -> T:
    """Do it in ``thread``. Raises: see database_errors."""
    with database_errors():
        return await asyncio.get_running_loop().run_in_executor(thread, do)


def _copy(connection: psycopg.Connection, query: sql.Composed) -> Generator[bytes]:
    block = bytearray()
    with connection.cursor().copy(query) as rows:
        for row in rows:
            block += row
            if len(block) >= BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    if block:
        yield bytes(block)
