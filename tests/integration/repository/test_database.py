"""The database as a part that can fail."""

from __future__ import annotations

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from infra.local.postgres import LocalPostgres
from memory_server.domain.errors import InvalidRequest, Unavailable
from memory_server.domain.memories import MemoryDraft
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import LOCAL
from memory_server.domain.queries import MemoryFilter
from memory_server.repository.administration import Administrator, prepare_database
from memory_server.repository.database import PostgresDatabase
from tests.fixtures.postgres import MIGRATIONS, TestDatabase
from tests.integration.repository.conftest import MODEL, vector


async def test_leaving_a_transaction_by_an_exception_undoes_it(memory_database: PostgresDatabase) -> None:
    async def fail() -> None:
        async with memory_database.transaction(LOCAL) as unit:
            await unit.memories.add([MemoryDraft(content="undone")], {0: vector(0)}, MODEL)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await fail()
    async with memory_database.transaction(LOCAL) as unit:
        assert await unit.memories.match_ids(None, MemoryFilter()) == []


async def test_connections_that_died_are_replaced(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    await memory_database.ping()
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'memory_app'")
    await memory_database.ping()
    async with memory_database.transaction(LOCAL) as unit:
        assert await unit.memories.match_ids(None, MemoryFilter()) == []


async def test_a_connection_that_dies_within_a_transaction_makes_the_database_unavailable(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    async def be_cut_off() -> None:
        async with memory_database.transaction(LOCAL) as unit:
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'memory_app'")
            await unit.memories.match_ids(None, MemoryFilter())

    with pytest.raises(Unavailable, match="database"):
        await be_cut_off()


async def test_a_database_that_is_not_there_is_unavailable(database: TestDatabase) -> None:
    nowhere = PostgresDatabase(database.host, 1, database.name, "password")
    with pytest.raises(Unavailable):
        await nowhere.ping()
    with pytest.raises(Unavailable):
        async with nowhere.transaction(LOCAL):
            pass
    await nowhere.close()


async def test_a_role_with_the_wrong_password_is_unavailable(database: TestDatabase) -> None:
    stranger = PostgresDatabase(database.host, database.port, database.name, "wrong")
    with pytest.raises(Unavailable):
        await stranger.ping()
    await stranger.close()


@pytest.mark.parametrize("content", ["a\0b", "half \ud800 a pair"])
async def test_text_that_postgresql_cannot_hold_is_the_requests_fault(
    memory_database: PostgresDatabase, content: str
) -> None:
    with pytest.raises(InvalidRequest):
        async with memory_database.transaction(LOCAL) as unit:
            await unit.memories.add([MemoryDraft(content="x", project=content)], {0: vector(0)}, MODEL)


async def test_a_value_that_postgresql_cannot_hold_is_the_requests_fault(memory_database: PostgresDatabase) -> None:
    draft = MemoryDraft(content="x", metadata={"text": "a\0b"})
    with pytest.raises(InvalidRequest, match="Unicode"):
        async with memory_database.transaction(LOCAL) as unit:
            await unit.memories.add([draft], {0: vector(0)}, MODEL)


async def test_preparing_makes_the_database_and_may_be_repeated(
    postgres: LocalPostgres, database: TestDatabase
) -> None:
    administrator = Administrator(
        host=postgres.host, port=postgres.port, name="made here", user=postgres.user, password=postgres.password
    )
    assert await prepare_database(administrator, server_secret=database.server_secret) == MIGRATIONS
    assert await prepare_database(administrator, server_secret=database.server_secret) == []
    password = role_password(database.server_secret, "memory_app")
    server = PostgresDatabase(postgres.host, postgres.port, "made here", password)
    await server.ping()
    await server.close()
