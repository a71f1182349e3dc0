"""What a crash left in the outbox reaches the plugins: all of it, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from memory_server.adapters.system_clock import SystemClock
from memory_server.domain.events import memory_event
from memory_server.domain.principals import Principal
from memory_server.outbox.postgres import PostgresBacklog
from memory_server.repository.database import PostgresDatabase
from memory_server.repository.pool import RolePool
from memory_server.services.relay import BATCH, Relay, RelayReport
from plugin_kit.models import Memory
from tests.fixtures.aws import PLUGINS_TABLE, AwsStack, make_registration
from tests.fixtures.postgres import TestDatabase
from tests.integration.relay.outbox import NOW, age, leave, make_relay


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
    aws: AwsStack, relay_pool: RolePool, memories: PostgresDatabase, relay: Relay
) -> None:
    await aws.registry().register(make_registration("analytics"))
    queue = aws.make_queue("analytics")
    (large,) = await leave(memories, "ana", metadata_bytes=300_000)
    (small,) = await leave(memories, "ana")
    without_store = make_relay(aws, relay_pool, bucket="no-such-bucket")
    assert (await without_store.run(older_than=NOW, has_time=lambda: True)).published == 1
    assert [detail["id"] for detail in aws.received(queue)] == [small.id]
    assert (await relay.run(older_than=NOW, has_time=lambda: True)).published == 1
    assert [detail["id"] for detail in aws.received(queue)] == [large.id]


async def test_without_the_registry_everything_waits(
    aws: AwsStack, memories: PostgresDatabase, relay_pool: RolePool, relay: Relay
) -> None:
    await leave(memories, "ana")
    aws.clients.dynamodb.delete_table(TableName=PLUGINS_TABLE)
    assert (await relay.run(older_than=NOW, has_time=lambda: True)).published == 0
    async with PostgresBacklog(relay_pool).claim(older_than=SystemClock().now(), limit=10) as events:
        assert len(events) == 1


async def test_published_events_are_forgotten_after_their_retention(
    database: TestDatabase, memories: PostgresDatabase, relay: Relay
) -> None:
    over = timedelta(days=7, minutes=1)
    old, left = await leave(memories, "ana", "ana", ago=over)
    (recent,) = await leave(memories, "ana", ago=timedelta(days=6))
    async with memories.transaction(Principal("ana")) as unit:
        await unit.outbox.mark_published([old.id, recent.id])
    assert (await relay.run(older_than=timedelta(days=8), has_time=lambda: True)).pruned == 1
    with psycopg.connect(database.admin_dsn) as connection:
        ids = {str(event_id) for (event_id,) in connection.execute("SELECT id FROM outbox").fetchall()}
    assert ids == {recent.id, left.id}


async def test_what_this_version_cannot_read_waits_for_the_one_that_can_and_holds_up_nothing(
    aws: AwsStack, database: TestDatabase, memories: PostgresDatabase, relay: Relay
) -> None:
    await aws.registry().register(make_registration("analytics"))
    queue = aws.make_queue("analytics")
    of_new_hook, of_new_version, known = await leave(memories, "ana", "ana", "ana")
    with psycopg.connect(database.admin_dsn, autocommit=True) as connection:
        connection.execute("UPDATE outbox SET hook = 'memory_dreamt' WHERE id = %s", [of_new_hook.id])
        connection.execute("UPDATE outbox SET event = event || '{\"version\": 2}' WHERE id = %s", [of_new_version.id])

        report = await relay.run(older_than=NOW, has_time=lambda: True)

        assert (report.published, report.unreadable) == (1, 2)
        assert [detail["id"] for detail in aws.received(queue)] == [known.id]
        connection.execute("UPDATE outbox SET hook = 'memory_created' WHERE id = %s", [of_new_hook.id])
    report = await relay.run(older_than=NOW, has_time=lambda: True)
    assert (report.published, report.unreadable) == (1, 1)


async def test_what_no_version_can_read_is_passed_over_and_logged(
    aws: AwsStack,
    database: TestDatabase,
    memories: PostgresDatabase,
    relay: Relay,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await aws.registry().register(make_registration("analytics"))
    queue = aws.make_queue("analytics")
    broken, sound = await leave(memories, "ana", "ana")
    with psycopg.connect(database.admin_dsn, autocommit=True) as connection:
        connection.execute("UPDATE outbox SET event = event - 'args' WHERE id = %s", [broken.id])
    await relay.run(older_than=NOW, has_time=lambda: True)
    assert [detail["id"] for detail in aws.received(queue)] == [sound.id]
    assert f"event {broken.id} of the outbox is passed over" in caplog.text
    assert await relay.run(older_than=NOW, has_time=lambda: True) == RelayReport()
