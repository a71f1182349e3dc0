"""Roles and migrations, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from infra.local.postgres import LocalPostgres
from memory_server.domain.passwords import role_password
from memory_server.repository.migrate import migrate
from tests.fixtures.postgres import MIGRATIONS, SERVER_SECRET, TestDatabase


@pytest.fixture
async def empty_database(postgres: LocalPostgres, template_database: str) -> AsyncIterator[str]:
    """The URL, for the administrator, of a database without migrations (the roles are there: a server has one set)."""
    assert template_database
    async with await AsyncConnection[TupleRow].connect(postgres.admin_dsn, autocommit=True) as connection:
        await connection.execute("CREATE DATABASE empty TEMPLATE template0")
        yield postgres.dsn("empty")
        await connection.execute("DROP DATABASE empty WITH (FORCE)")


async def run(url: str) -> list[str]:
    async with await AsyncConnection[TupleRow].connect(url, autocommit=True) as connection:
        return list(await migrate(connection, server_secret=SERVER_SECRET))


async def test_migrations_are_applied_once_although_two_start_together(empty_database: str) -> None:
    first, second = await asyncio.gather(run(empty_database), run(empty_database))
    assert sorted([first, second]) == [[], MIGRATIONS]
    assert await run(empty_database) == []


async def test_an_administrator_who_is_no_superuser_can_migrate_once_the_extension_is_there(tmp_path: Path) -> None:
    # As on Aurora, in a cluster of its own: the administrator makes the roles and owns the database.
    with LocalPostgres(tmp_path) as server:
        async with await AsyncConnection[TupleRow].connect(server.admin_dsn, autocommit=True) as connection:
            await connection.execute("CREATE ROLE cloud_admin LOGIN CREATEROLE CREATEDB PASSWORD 'secret'")
            await connection.execute("CREATE DATABASE memory OWNER cloud_admin")
        async with await AsyncConnection[TupleRow].connect(server.dsn("memory"), autocommit=True) as connection:
            await connection.execute("CREATE EXTENSION vector")
        url = f"postgresql://cloud_admin:secret@{server.host}:{server.port}/memory"
        assert await run(url) == MIGRATIONS
        assert await run(url) == []


async def test_every_table_of_the_users_has_row_level_security_forced(database: TestDatabase) -> None:
    async with await AsyncConnection[TupleRow].connect(database.admin_dsn) as connection:
        cursor = await connection.execute(
            "SELECT relname, relowner::regrole::text, relrowsecurity AND relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            " AND relname NOT IN ('schema_migrations', 'erasures')"  # which nobody but their owner reaches
            " ORDER BY 1"
        )
        rows = await cursor.fetchall()
    tables = ("exports", "idempotency_keys", "loads", "memories", "memory_versions", "outbox", "usage")
    assert rows == [(table, "memory_owner", True) for table in tables]


@pytest.mark.parametrize("role", ["memory_app", "memory_relay", "memory_bulk"])
async def test_a_role_logs_in_with_the_password_that_derives_from_the_secret(database: TestDatabase, role: str) -> None:
    async with await AsyncConnection[TupleRow].connect(
        host=database.host, port=database.port, dbname=database.name,
        user=role, password=role_password(SERVER_SECRET, role),
    ) as connection:  # fmt: skip
        cursor = await connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit FROM pg_roles"
            " WHERE rolname = current_user"
        )
        assert await cursor.fetchone() == (False, False, False, False, False)


async def test_the_owner_of_the_tables_cannot_log_in(database: TestDatabase) -> None:
    with pytest.raises(psycopg.OperationalError):
        await AsyncConnection[TupleRow].connect(
            host=database.host, port=database.port, dbname=database.name,
            user="memory_owner", password=role_password(SERVER_SECRET, "memory_owner"),
        )  # fmt: skip
