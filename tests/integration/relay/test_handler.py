"""The relay's function, as the schedule and the supervisor of one machine invoke it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from functions.outbox_relay import handler as function
from memory_server.domain.events import memory_event
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import Principal
from memory_server.repository import roles
from memory_server.repository.database import PostgresDatabase
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
