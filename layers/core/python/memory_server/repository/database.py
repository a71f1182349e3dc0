"""Transactions on the memories of one user, in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pgvector.psycopg import register_vector_async

from memory_server.domain.principals import Principal
from memory_server.domain.quotas import NO_QUOTAS, Quotas, Usage
from memory_server.outbox.postgres import PostgresOutbox
from memory_server.repository import roles
from memory_server.repository.exports import PostgresExportRecords
from memory_server.repository.idempotency import PostgresIdempotencyKeys
from memory_server.repository.memories import PostgresMemories
from memory_server.repository.pool import RolePool
from memory_server.repository.usage import usage


@dataclass(frozen=True, slots=True)
class PostgresUnitOfWork:
    """One transaction of one user."""

    memories: PostgresMemories
    outbox: PostgresOutbox
    idempotency: PostgresIdempotencyKeys
    exports: PostgresExportRecords


class PostgresDatabase:
    """The database, as the role that row-level security confines. It connects on first use."""

    def __init__(
        self,
        host: str,
        port: int,
        name: str,
        password: str,
        pool_size: int = 2,
        user: str = roles.APP,
        quotas: Quotas = NO_QUOTAS,
    ) -> None:
        self._quotas = quotas
        self._pool = RolePool(
            host, port, name, user=user, password=password, size=pool_size, configure=register_vector_async
        )

    @asynccontextmanager
    async def transaction(self, principal: Principal) -> AsyncGenerator[PostgresUnitOfWork]:
        """Give one transaction in which nothing but the principal's rows exists, those of its project where it has one.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._pool.transaction() as connection:
            await connection.execute(
                "SELECT set_config('app.user_id', %s, true), set_config('app.project', %s, true)",
                [principal.user_id, principal.project or ""],
            )
            yield PostgresUnitOfWork(
                PostgresMemories(connection, principal, self._quotas),
                PostgresOutbox(connection),
                PostgresIdempotencyKeys(connection, principal),
                PostgresExportRecords(connection),
            )

    async def user_ids(self) -> list[str]:
        """Return the ids of those who have or had memories, of whatever user they are.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._pool.transaction() as connection:
            rows = await (await connection.execute("SELECT user_id FROM user_ids() AS user_id")).fetchall()
        return [str(row["user_id"]) for row in rows]

    async def usage(self, user_id: str) -> Usage:
        """Return what a user has stored.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._pool.transaction() as connection:
            await connection.execute("SELECT set_config('app.user_id', %s, true)", [user_id])
            return await usage(connection)

    async def erase(self, user_id: str) -> None:
        """Delete every row of a user.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._pool.transaction() as connection:
            await connection.execute("SELECT set_config('app.user_id', %s, true)", [user_id])
            await connection.execute("SELECT erase_user()")

    async def ping(self) -> None:
        """Raises: Unavailable."""
        await self._pool.ping()

    async def close(self) -> None:
        """Close the connections; the database cannot be used again."""
        await self._pool.close()
