"""Connections to the database for one role."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from memory_server.repository.errors import database_errors

Connection: TypeAlias = "AsyncConnection[DictRow]"

_WAIT_SECONDS: Final = 5


class RolePool:
    """Up to ``size`` connections that are logged in as ``user``, made when first needed, in the loop that needs them.

    A connection that died is noticed before it is given out, and replaced. A ``forgetful`` pool lets nothing that a
    user did to the session (settings, locks, prepared statements) reach the next one. ``configure`` is awaited with
    each new connection.
    """

    def __init__(
        self,
        host: str,
        port: int,
        name: str,
        *,
        user: str,
        password: str,
        size: int,
        forgetful: bool = False,
        configure: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            kwargs={
                "host": host,
                "port": port,
                "dbname": name,
                "user": user,
                "password": password,
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": _WAIT_SECONDS,
                "prepare_threshold": None if forgetful else 5,
            },
            connection_class=AsyncConnection[DictRow],
            min_size=1,
            max_size=size,
            timeout=_WAIT_SECONDS,
            check=_check,
            configure=configure,
            reset=_forget if forgetful else None,
            name=user,
            open=False,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """Give a connection inside one transaction. Leaving normally commits, leaving by an exception rolls back.

        Raises:
            Unavailable: the database does not answer.
        """
        with database_errors():
            async with self._connection() as connection, connection.transaction():
                yield connection

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Connection]:
        """Give a connection on which each statement is a transaction of its own.

        Raises:
            Unavailable: the database does not answer.
        """
        with database_errors():
            async with self._connection() as connection:
                yield connection

    async def ping(self) -> None:
        """Raises: Unavailable."""
        with database_errors():
            async with self._connection() as connection:
                await connection.execute("SELECT 1")

    async def close(self) -> None:
        """Close the connections; the pool cannot be used again."""
        await self._pool.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        await self._pool.open()  # does nothing where it is open
        async with self._pool.connection() as connection:
            yield connection


async def _check(connection: Connection) -> None:
    await connection.execute("")  # the least that makes a dead connection raise


async def _forget(connection: Connection) -> None:
    await connection.execute("DISCARD ALL")
