"""What a crash left in the outbox reaches the plugins: all of it, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import psycopg
import pytest

from memory_server.adapters.eventbridge_bus import EventBridgeBus
from memory_server.adapters.large_events import LargeEvents
from memory_server.adapters.system_clock import SystemClock
from memory_server.domain.events import memory_event
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import Principal
from memory_server.outbox.postgres import PostgresBacklog
from memory_server.repository import roles
from memory_server.repository.database import PostgresDatabase
from memory_server.repository.pool import RolePool
from memory_server.services.publisher import Publisher
from memory_server.services.relay import BATCH, Relay, RelayReport
from memory_server.services.sequencing import Sequencer
from plugin_kit.envelope import Event
from plugin_kit.models import Memory
from tests.fixtures.aws import BUCKET, BUS, PLUGINS_TABLE, AwsStack, make_registration
from tests.fixtures.postgres import TestDatabase

NOW = timedelta(0)


@pytest.fixture
async def memories(database: TestDatabase) -> AsyncGenerator[PostgresDatabase]:
    password = role_password(database.server_secret, roles.APP)
    memories = PostgresDatabase(database.host, database.port, database.name, password)
    yield memories
    await memories.close()


@pytest.fixture
async def backlog(database: TestDatabase) -> AsyncGenerator[PostgresBacklog]:
    password = role_password(database.server_secret, roles.RELAY)
    pool = RolePool(database.host, database.port, database.name, user=roles.RELAY, password=password, size=2)
    yield PostgresBacklog(pool)
    await pool.close()


@pytest.fixture
def relay(aws: AwsStack, backlog: PostgresBacklog) -> Relay:
    return make_relay(aws, backlog)


def make_relay(aws: AwsStack, backlog: PostgresBacklog, bucket: str = BUCKET) -> Relay:
    bus = EventBridgeBus(aws.clients.events, BUS, LargeEvents(aws.clients.s3, bucket))
    publisher = Publisher(aws.registry(), bus, aws.sequences(), b"key", SystemClock())
    sequencer = Sequencer(aws.sequences(), publisher, SystemClock())
    return Relay(backlog, publisher, sequencer, SystemClock(), retention=timedelta(days=7))


async def leave(database: PostgresDatabase, *user_ids: str, metadata_bytes: int = 0) -> list[Event]:
    """Leave an event in the outbox for each of the users, as a crash between commit and publishing does."""
    events: list[Event] = []
    for user_id in user_ids:
        memory = Memory(id="m", content="text", user_id=user_id, metadata={"blob": "x" * metadata_bytes})
        events.append(memory_event("memory_created", memory))
        async with database.transaction(Principal(user_id)) as unit:
            await unit.outbox.append(events[-1:])
    return events


def age(database: TestDatabase, event_ids: Sequence[str], *, seconds: int) -> None:
    """Make it ``seconds`` ago that the events were written and, where they were, published."""
    with psycopg.connect(database.admin_dsn, autocommit=True) as connection:
        connection.execute(
            "UPDATE outbox SET created_at = created_at - %(age)s, published_at = published_at - %(age)s"
            " WHERE id = ANY (%(ids)s)",
            {"age": timedelta(seconds=seconds), "ids": list(event_ids)},
        )


async def test_what_is_left_of_all_users_is_published_and_what_was_published_is_not(
    aws: AwsStack, memories: PostgresDatabase, relay: Relay
) -> None:
    await aws.registry().register(make_registration("analytics"))
    queue = aws.make_queue("analytics")
    left = await leave(memories, "ana", "bob")
    (published,) = await leave(memories, "ana")
    async with memories.transaction(Principal("ana")) as unit:
        await unit.outbox.mark_published([published.id])

    report = await relay.run(older_than=NOW, has_time=lambda: True)

    assert report == RelayReport(published=2)
    assert [(detail["id"], detail["user_id"]) for detail in aws.received(queue)] == [
        (left[0].id, "ana"),
        (left[1].id, "bob"),
    ]


async def test_what_was_relayed_is_not_relayed_again(aws: AwsStack, memories: PostgresDatabase, relay: Relay) -> None:
    await aws.registry().register(make_registration("analytics"))
    queue = aws.make_queue("analytics")
    await leave(memories, "ana")
    await relay.run(older_than=NOW, has_time=lambda: True)
    assert await relay.run(older_than=NOW, has_time=lambda: True) == RelayReport()
    assert len(aws.received(queue)) == 1


async def test_what_is_young_is_left_to_the_process_that_wrote_it(
    aws: AwsStack, database: TestDatabase, memories: PostgresDatabase, relay: Relay
) -> None:
    await aws.registry().register(make_registration("analytics"))
    queue = aws.make_queue("analytics")
    old, _young = await leave(memories, "ana", "ana")
    age(database, [old.id], seconds=31)
    report = await relay.run(older_than=timedelta(seconds=30), has_time=lambda: True)
    assert report.published == 1
    assert [detail["id"] for detail in aws.received(queue)] == [old.id]


async def test_a_backlog_of_several_batches_is_emptied(memories: PostgresDatabase, relay: Relay) -> None:
    async with memories.transaction(Principal("ana")) as unit:
        memory = Memory(id="m", content="text", user_id="ana")
        await unit.outbox.append([memory_event("memory_created", memory) for _ in range(BATCH + 1)])
    assert (await relay.run(older_than=NOW, has_time=lambda: True)).published == BATCH + 1


async def test_a_relay_without_time_leaves_the_rest_to_the_next(memories: PostgresDatabase, relay: Relay) -> None:
    await leave(memories, "ana")
    assert (await relay.run(older_than=NOW, has_time=lambda: False)).published == 0
    assert (await relay.run(older_than=NOW, has_time=lambda: True)).published == 1


async def test_an_event_that_cannot_be_published_waits_and_holds_up_no_other(
    aws: AwsStack, backlog: PostgresBacklog, memories: PostgresDatabase, relay: Relay
) -> None:
    await aws.registry().register(make_registration("analytics"))
    queue = aws.make_queue("analytics")
    (large,) = await leave(memories, "ana", metadata_bytes=300_000)
    (small,) = await leave(memories, "ana")
    without_store = make_relay(aws, backlog, bucket="no-such-bucket")
    assert (await without_store.run(older_than=NOW, has_time=lambda: True)).published == 1
    assert [detail["id"] for detail in aws.received(queue)] == [small.id]
    assert (await relay.run(older_than=NOW, has_time=lambda: True)).published == 1
    assert [detail["id"] for detail in aws.received(queue)] == [large.id]


async def test_without_the_registry_everything_waits(
    aws: AwsStack, memories: PostgresDatabase, backlog: PostgresBacklog, relay: Relay
) -> None:
    await leave(memories, "ana")
    aws.clients.dynamodb.delete_table(TableName=PLUGINS_TABLE)
    assert (await relay.run(older_than=NOW, has_time=lambda: True)).published == 0
    async with backlog.claim(older_than=SystemClock().now(), limit=10) as events:
        assert len(events) == 1


async def test_published_events_are_forgotten_after_their_retention(
    database: TestDatabase, memories: PostgresDatabase, relay: Relay
) -> None:
    old, recent, left = await leave(memories, "ana", "ana", "ana")
    async with memories.transaction(Principal("ana")) as unit:
        await unit.outbox.mark_published([old.id, recent.id])
    age(database, [old.id, left.id], seconds=7 * 24 * 3600 + 60)
    assert (await relay.run(older_than=timedelta(days=8), has_time=lambda: True)).pruned == 1
    with psycopg.connect(database.admin_dsn) as connection:
        ids = {str(event_id) for (event_id,) in connection.execute("SELECT id FROM outbox").fetchall()}
    assert ids == {recent.id, left.id}
