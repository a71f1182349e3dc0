"""Brings the database to what this version of the server needs: roles, then the migrations that are not applied yet."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, LiteralString, cast

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from memory_server.repository.roles import OWNER, make_roles

_FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6D656D6F7279  # "memory": any number that nobody else takes


async def migrate(connection: AsyncConnection[TupleRow], *, server_secret: str) -> Sequence[str]:
    """Make the roles, apply what is missing, and return the names of the migrations that were applied.

    ``connection`` is the administrator's, in autocommit mode. Two callers at once wait for each other.
    """
    async with _alone(connection):
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        await make_roles(connection, server_secret)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        cursor = await connection.execute("SELECT name FROM schema_migrations")
        applied = {str(name) for (name,) in await cursor.fetchall()}
        missing = [name for name in _names() if name not in applied]
        for name in missing:
            await _apply(connection, name)
        return missing


@asynccontextmanager
async def _alone(connection: AsyncConnection[TupleRow]) -> AsyncGenerator[None]:
    await connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


async def _apply(connection: AsyncConnection[TupleRow], name: str) -> None:
    # A migration is a file of this package: it is trusted as code is, which is what LiteralString stands for.
    script = cast(LiteralString, (_FOLDER / name).read_text())
    async with connection.transaction():
        await connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
        await connection.execute(script)
        await connection.execute("RESET ROLE")
        await connection.execute("INSERT INTO schema_migrations (name) VALUES (%s)", [name])


def _names() -> list[str]:
    return sorted(file.name for file in _FOLDER.glob("*.sql"))
