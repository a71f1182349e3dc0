"""Transactions on the memories of one user, in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pgvector.psycopg import register_vector_async

from memory_server.domain.errors import UserErased
from memory_server.domain.principals import Principal
from memory_server.outbox.postgres import PostgresOutbox
from memory_server.repository import roles
from memory_server.repository.idempotency import PostgresIdempotencyKeys
from memory_server.repository.memories import PostgresMemories
from memory_server.repository.pool import RolePool

_USER: Final = "SELECT set_config('app.user_id', %s, true)"
# What plugins do for a user takes seconds; a load may take minutes, and then the client asks again.
_LOCK_TIMEOUT: Final = "10s"


@dataclass(frozen=True, slots=True)
class PostgresUnitOfWork:
    """One transaction of one user."""

    memories: PostgresMemories
    outbox: PostgresOutbox
    idempotency: PostgresIdempotencyKeys


class PostgresDatabase:
    """The database, as the role that row-level security confines. It connects on first use."""

    def __init__(
        self, host: str, port: int, name: str, password: str, pool_size: int = 2, user: str = roles.APP
    ) -> None:
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
                PostgresMemories(connection, principal),
                PostgresOutbox(connection),
                PostgresIdempotencyKeys(connection, principal),
            )

    async def user_ids(self) -> list[str]:
        """Return the ids of those who have or had memories, of whatever user they are.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._pool.transaction() as connection:
            rows = await (await connection.execute("SELECT user_id FROM user_ids() AS user_id")).fetchall()
        return [str(row["user_id"]) for row in rows]

    @asynccontextmanager
    async def present(self, user_id: str, since: datetime) -> AsyncGenerator[None]:
        """Keep the user from being erased for as long as the context lasts.

        Raises:
            UserErased: they were erased at ``since`` or later.
            Unavailable: the database does not answer.
        """
        async with self._pool.transaction() as connection:
            await connection.execute(_USER, [user_id])
            row = await (await connection.execute("SELECT erased_since(%s) AS erased", [since])).fetchone()
            if row is None or row["erased"]:
                raise UserErased
            yield

    async def erase(self, user_id: str) -> datetime:
        """Delete every row of a user, and return the moment up to which all of theirs is of nobody.

        Raises:
            Unavailable: the database does not answer, or stores something for the user just now.
        """
        async with self._pool.transaction() as connection:
            await connection.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
            await connection.execute(_USER, [user_id])
            row = await (await connection.execute("SELECT erase_user(%s) AS moment", [datetime.now(UTC)])).fetchone()
            assert row is not None  # noqa: S101  # a SELECT without FROM has one row
            return row["moment"]

    async def plugin_ids(self) -> list[str]:
        """Return the ids of the plugins that have a schema, those that are registered no longer too.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._pool.transaction() as connection:
            query = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY nspname"
            rows = await (await connection.execute(query, [roles.PLUGIN_PREFIX])).fetchall()
        return [str(row["nspname"]).removeprefix(roles.PLUGIN_PREFIX) for row in rows]

    async def ping(self) -> None:
        """Raises: Unavailable."""
        await self._pool.ping()

    async def close(self) -> None:
        """Close the connections; the database cannot be used again."""
        await self._pool.close()
