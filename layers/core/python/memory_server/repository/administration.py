"""What the administrator does: makes the database ready for this version of the server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from memory_server.repository.errors import database_errors
from memory_server.repository.migrate import migrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """How the administrator logs in to the server's database."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncConnection[TupleRow]]:
        """Give a connection on which each statement is a transaction of its own.

        Raises:
            Unavailable: the database does not answer.
        """
        with database_errors():
            async with await AsyncConnection[TupleRow].connect(
                host=self.host, port=self.port, dbname=self.name, user=self.user, password=self.password,
                connect_timeout=15, autocommit=True,
            ) as connection:  # fmt: skip
                yield connection


async def prepare_database(administrator: Administrator, *, server_secret: str) -> Sequence[str]:
    """Make the database where it is missing, its roles and its tables; return the migrations that were applied."""
    async with replace(administrator, name="postgres").connect() as connection:
        query = "SELECT FROM pg_database WHERE datname = %s"
        if (await (await connection.execute(query, [administrator.name])).fetchone()) is None:
            await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(administrator.name)))
    async with administrator.connect() as connection:
        return await migrate(connection, server_secret=server_secret)
