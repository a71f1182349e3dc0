"""Events are written with the change, and leave the outbox when they are published."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from memory_server.domain.events import memory_event
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import Principal
from memory_server.outbox.postgres import PostgresBacklog
from memory_server.repository.database import PostgresDatabase
from memory_server.repository.pool import RolePool
from plugin_kit.envelope import Event
from plugin_kit.models import Memory
from tests.fixtures.postgres import TestDatabase

ANN, BOB = Principal("ann"), Principal("bob")
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
async def backlog(database: TestDatabase) -> AsyncIterator[PostgresBacklog]:
    password = role_password(database.server_secret, "memory_relay")
    pool = RolePool(database.host, database.port, database.name, user="memory_relay", password=password, size=2)
    yield PostgresBacklog(pool)
    await pool.close()


def event(user: Principal, number: int = 1) -> Event:
    memory = Memory(id=f"01a20000-0000-7000-8000-{number:012}", content="tea", user_id=user.user_id, project="house")
    return memory_event("memory_created", memory)


async def append(database: PostgresDatabase, user: Principal, *events: Event) -> None:
    async with database.transaction(user) as unit:
        await unit.outbox.append(events)


async def pending(backlog: PostgresBacklog, *, limit: int = 100) -> list[Event]:
    """Return what the relay would publish, and leave it there."""
    events: list[Event] = []
    with contextlib.suppress(InterruptedError):
        async with backlog.claim(older_than=FUTURE, limit=limit) as claimed:
            events = claimed
            raise InterruptedError
    return events


async def test_the_relay_gets_events_of_all_users_as_they_were_written_without_grant_or_plugins(
    memory_database: PostgresDatabase, backlog: PostgresBacklog
) -> None:
    first, second = event(ANN, 1), event(BOB, 2)
    await append(memory_database, ANN, replace(first, plugins=("p",), grant="token"))
    await append(memory_database, BOB, second)
    assert await pending(backlog) == [first, second]
    assert await pending(backlog, limit=1) == [first]


async def test_an_event_goes_with_the_transaction_that_wrote_it(
    memory_database: PostgresDatabase, backlog: PostgresBacklog
) -> None:
    async def fail() -> None:
        async with memory_database.transaction(ANN) as unit:
            await unit.outbox.append([event(ANN)])
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await fail()
    assert await pending(backlog) == []


async def test_what_the_publisher_marked_is_not_published_again(
    memory_database: PostgresDatabase, backlog: PostgresBacklog
) -> None:
    first, second = event(ANN, 1), event(ANN, 2)
    await append(memory_database, ANN, first, second)
    async with memory_database.transaction(ANN) as unit:
        await unit.outbox.mark_published([first.id])
    async with memory_database.transaction(BOB) as unit:
        await unit.outbox.mark_published([second.id])  # not bob's: nothing happens
    assert await pending(backlog) == [second]


async def test_claimed_events_are_published_when_the_claim_ends_well(
    memory_database: PostgresDatabase, backlog: PostgresBacklog
) -> None:
    await append(memory_database, ANN, event(ANN))
    async with backlog.claim(older_than=FUTURE, limit=10) as events:
        assert len(events) == 1
    assert await pending(backlog) == []


async def test_two_relays_never_claim_the_same_event(
    memory_database: PostgresDatabase, backlog: PostgresBacklog
) -> None:
    await append(memory_database, ANN, *[event(ANN, number) for number in range(4)])

    async def relay() -> list[str]:
        async with backlog.claim(older_than=FUTURE, limit=2) as events:
            await asyncio.sleep(0.2)  # so that both hold their claims at once
            return [event.id for event in events]

    one, two = await asyncio.gather(relay(), relay())
    assert (len(one), len(two), set(one) & set(two)) == (2, 2, set())


async def test_events_younger_than_asked_for_are_left_alone(
    memory_database: PostgresDatabase, backlog: PostgresBacklog
) -> None:
    await append(memory_database, ANN, event(ANN))
    async with backlog.claim(older_than=datetime.now(UTC) - timedelta(seconds=30), limit=10) as events:
        assert events == []


async def test_published_events_are_forgotten_after_a_while_and_others_never(
    memory_database: PostgresDatabase, backlog: PostgresBacklog, admin: AsyncConnection[TupleRow]
) -> None:
    published, waiting = event(ANN, 1), event(ANN, 2)
    await append(memory_database, ANN, published, waiting)
    async with memory_database.transaction(ANN) as unit:
        await unit.outbox.mark_published([published.id])
    assert await backlog.prune(happened_before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert await backlog.prune(happened_before=FUTURE) == 1
    cursor = await admin.execute("SELECT id::text FROM outbox")
    assert await cursor.fetchall() == [(waiting.id,)]


async def test_the_relays_role_sees_no_memory(database: TestDatabase) -> None:
    async with await AsyncConnection[TupleRow].connect(
        host=database.host, port=database.port, dbname=database.name,
        user="memory_relay", password=role_password(database.server_secret, "memory_relay"),
    ) as connection:  # fmt: skip
        cursor = await connection.execute(
            "SELECT has_table_privilege('memories', 'SELECT'), has_table_privilege('memory_versions', 'SELECT'),"
            " has_table_privilege('outbox', 'INSERT'), has_column_privilege('outbox', 'event', 'UPDATE'),"
            " has_function_privilege('keyword_matches(tsquery, jsonb, integer)', 'EXECUTE')"
        )
        assert await cursor.fetchone() == (False,) * 5
