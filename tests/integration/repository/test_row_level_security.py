"""Row-level security holds the line by itself: the services' WHERE clauses are not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import LiteralString

import pytest
from psycopg import AsyncConnection, errors, sql
from psycopg.rows import TupleRow

from memory_server.domain.errors import MemoryNotFound
from memory_server.domain.events import memory_event
from memory_server.domain.memories import MemoryDraft, MemoryPatch
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import Principal
from memory_server.domain.queries import MemoryFilter, SearchQuery
from memory_server.repository.database import PostgresDatabase
from memory_server.services.ports import StoredResponse
from plugin_kit.models import Memory
from tests.fixtures.postgres import TestDatabase
from tests.integration.repository.conftest import MODEL, vector

ANN, BOB = Principal("ann"), Principal("bob")
FOREIGN_VERSION = """
    INSERT INTO memory_versions
    SELECT id, 'bob', content, project, session_id, memory_type, tags, importance, metadata, version + 1,
        created_at, updated_at, expires_at, replaced_at, replaced_by
    FROM memory_versions
"""
TABLES = ("memories", "memory_versions", "outbox", "idempotency_keys")


@pytest.fixture
async def memories(memory_database: PostgresDatabase) -> dict[Principal, Memory]:
    """A memory of each user, with the same content, and rows of each in every other table."""
    stored: dict[Principal, Memory] = {}
    for user in (ANN, BOB):
        async with memory_database.transaction(user) as unit:
            [result] = await unit.memories.add([MemoryDraft(content="tea at four")], {0: vector(0)}, MODEL)
            await unit.idempotency.claim("key", b"fingerprint")
            await unit.idempotency.store("key", StoredResponse(b"fingerprint", (result.memory.id,), (True,)))
            stored[user] = await unit.memories.update(
                result.memory.id, MemoryPatch(importance=1.0), vector=None, model_id=MODEL, expected_version=None
            )
            await unit.outbox.append([memory_event("memory_updated", stored[user])])
    return stored


@pytest.fixture
async def raw(database: TestDatabase) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """A connection of the role that the server uses, without the server."""
    async with await AsyncConnection[TupleRow].connect(
        host=database.host, port=database.port, dbname=database.name,
        user="memory_app", password=role_password(database.server_secret, "memory_app"), autocommit=True,
    ) as connection:  # fmt: skip
        yield connection


async def test_a_user_cannot_see_change_search_or_learn_of_anothers_memory(
    memory_database: PostgresDatabase, memories: dict[Principal, Memory]
) -> None:
    foreign, patch = memories[BOB].id, MemoryPatch(importance=0.0)
    async with memory_database.transaction(ANN) as unit:
        for call in (
            unit.memories.get(foreign),
            unit.memories.history(foreign),
            unit.memories.delete(foreign, expected_version=9),
            unit.memories.update(foreign, patch, vector=None, model_id=MODEL, expected_version=9),
        ):
            with pytest.raises(MemoryNotFound):
                await call
        for mode in ("hybrid", "semantic", "keyword"):
            query = SearchQuery(text="tea", mode=mode)
            [hit] = await unit.memories.search(query, None if mode == "keyword" else vector(0), MODEL)
            assert hit.memory == memories[ANN]
        page = await unit.memories.list(MemoryFilter(), after=None, limit=10)
        assert list(page.memories) == [memories[ANN]]
        assert await unit.memories.match_ids([foreign], None) == []
        [gone] = await unit.memories.delete_many(None, MemoryFilter())
        assert gone.id == memories[ANN].id
    async with memory_database.transaction(BOB) as unit:
        assert await unit.memories.get(foreign) == memories[BOB]


@pytest.mark.usefixtures("memories")
@pytest.mark.parametrize("table", TABLES)
async def test_sql_without_where_sees_the_users_rows_alone(raw: AsyncConnection[TupleRow], table: str) -> None:
    async with raw.transaction():
        await raw.execute("SELECT set_config('app.user_id', 'ann', true)")
        cursor = await raw.execute(sql.SQL("SELECT DISTINCT user_id FROM {}").format(sql.Identifier(table)))
        assert await cursor.fetchall() == [("ann",)]


@pytest.mark.usefixtures("memories")
@pytest.mark.parametrize("table", TABLES)
async def test_without_a_user_no_row_is_visible(raw: AsyncConnection[TupleRow], table: str) -> None:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    assert await (await raw.execute(query)).fetchone() == (0,)
    async with raw.transaction():
        await raw.execute("SELECT set_config('app.user_id', 'ann', true)")
    # After a transaction that set it, the setting is an empty text.
    assert await (await raw.execute(query)).fetchone() == (0,)


async def test_the_search_function_finds_nothing_of_others(
    raw: AsyncConnection[TupleRow], memories: dict[Principal, Memory]
) -> None:
    query = "SELECT id::text FROM keyword_matches('tea', '{}', 1000)"
    assert await (await raw.execute(query)).fetchall() == []
    await raw.execute("SELECT set_config('app.user_id', 'ann', false)")
    assert await (await raw.execute(query)).fetchall() == [(memories[ANN].id,)]


async def test_sql_without_where_changes_and_deletes_the_users_rows_alone(
    raw: AsyncConnection[TupleRow], admin: AsyncConnection[TupleRow], memories: dict[Principal, Memory]
) -> None:
    await raw.execute("SELECT set_config('app.user_id', 'ann', false)")
    assert (await raw.execute("UPDATE memories SET importance = 0")).rowcount == 1
    assert (await raw.execute("DELETE FROM memories")).rowcount == 1
    cursor = await admin.execute("SELECT id::text, importance FROM memories")
    assert await cursor.fetchall() == [(memories[BOB].id, 1.0)]


@pytest.mark.usefixtures("memories")
async def test_rows_cannot_be_given_to_another_user(raw: AsyncConnection[TupleRow]) -> None:
    await raw.execute("SELECT set_config('app.user_id', 'ann', false)")
    for statement in (
        "UPDATE memories SET user_id = 'bob'",
        "INSERT INTO outbox (id, user_id, hook, event) VALUES (uuidv7(), 'bob', 'memory_created', '{}')",
        "INSERT INTO idempotency_keys (user_id, key, fingerprint) VALUES ('bob', 'new', '')",
        FOREIGN_VERSION,
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            await raw.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE memories DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON memories",
        "TRUNCATE memories",
        "SET ROLE memory_owner",
        "SET ROLE postgres",
        "SET row_security = off; SELECT * FROM memories",
        "DELETE FROM memory_versions",
        "DELETE FROM outbox",
    ],
)
async def test_the_server_cannot_lift_its_own_confinement(
    raw: AsyncConnection[TupleRow], statement: LiteralString
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        await raw.execute(statement)
