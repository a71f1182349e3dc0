"""The relay's function, as the schedule and the supervisor of one machine invoke it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from functions.outbox_relay import handler as function
from memory_server.domain.events import memory_event
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import Principal
from memory_server.repository import roles
from memory_server.repository.database import PostgresDatabase
from memory_server.services.delivery_ports import Replay
from plugin_kit.models import Memory
from tests.fixtures.aws import AwsStack, make_registration
from tests.fixtures.functions import Invocation
from tests.fixtures.postgres import TestDatabase


@pytest.fixture(autouse=True)
def environment(function_environment: None) -> Iterator[None]:  # noqa: ARG001
    yield
    function.environment.close()


async def _leave_event(database: TestDatabase) -> None:
    memories = PostgresDatabase(
        database.host, database.port, database.name, role_password(database.server_secret, roles.APP)
    )
    async with memories.transaction(Principal("ana")) as unit:
        await unit.outbox.append([memory_event("memory_created", Memory(id="m", content="text", user_id="ana"))])
    await memories.close()


def test_the_schedule_relays_what_is_older_than_half_a_minute_and_the_supervisor_everything(
    aws: AwsStack, database: TestDatabase
) -> None:
    queue = aws.make_queue("analytics")
    asyncio.run(aws.registry().register(make_registration("analytics")))
    asyncio.run(_leave_event(database))
    context = Invocation("outbox-relay").context
    assert function.handler({}, context)["published"] == 0
    assert function.handler({"older_than_seconds": 0}, context)["published"] == 1
    assert len(aws.received(queue)) == 1


def test_the_api_asks_for_the_replays_alone(aws: AwsStack, database: TestDatabase) -> None:
    queue = aws.make_queue("analytics")
    dead = aws.clients.sqs.create_queue(QueueName="dead")["QueueUrl"]
    aws.clients.sqs.send_message(QueueUrl=dead, MessageBody='{"detail": {"id": "dead letter"}}')
    asyncio.run(aws.registry().register(make_registration("analytics", queue_url=queue, dead_letter_queue_url=dead)))
    started_at = datetime.now(UTC) + timedelta(seconds=1)
    replay = Replay(replay_id="r", plugin_id="analytics", source="dead_letters", started_at=started_at)
    asyncio.run(aws.replays().start(replay))
    asyncio.run(_leave_event(database))

    report = function.handler({"replay": {}}, Invocation("outbox-relay").context)

    assert (report["replayed"], report["published"]) == (1, 0)
    assert [detail["id"] for detail in aws.received(queue)] == ["dead letter"]


def test_a_relay_at_the_end_of_its_time_leaves_a_replay_to_the_next(aws: AwsStack) -> None:
    asyncio.run(aws.registry().register(make_registration("analytics")))
    replay = Replay(replay_id="r", plugin_id="analytics", source="archive", started_at=datetime.now(UTC))
    asyncio.run(aws.replays().start(replay))
    assert function.handler({"replay": {}}, Invocation("outbox-relay", milliseconds=5_000).context)["replayed"] == 0
    assert asyncio.run(aws.replays().running()) == [replay]
    function.handler({"replay": {}}, Invocation("outbox-relay").context)
    assert asyncio.run(aws.replays().running()) == []
