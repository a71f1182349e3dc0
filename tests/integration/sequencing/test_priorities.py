"""From the outbox to the queues of plugins with priorities 1, 5 and 5: the relay, the state, the gateway, the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from functions.outbox_relay import handler as relay
from functions.plugin_gateway import handler as gateway
from memory_server.domain.events import memory_event
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import Principal
from memory_server.repository import roles
from memory_server.repository.database import PostgresDatabase
from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory
from tests.fixtures.aws import CACHE_TABLE, SEQUENCES_TABLE, AwsStack, make_registration
from tests.fixtures.functions import Invocation
from tests.fixtures.postgres import TestDatabase

PRIORITIES = {"first": 1, "left": 5, "right": 5}


@pytest.fixture
def queues(function_environment: None, aws: AwsStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The queues of the three plugins, by their ids."""
    assert function_environment is None
    monkeypatch.setenv("EMBEDDER_FUNCTION", "none")
    monkeypatch.setenv("EMBEDDING_CACHE_TABLE", CACHE_TABLE)
    for plugin_id, priority in PRIORITIES.items():
        asyncio.run(aws.registry().register(make_registration(plugin_id, priority=priority)))
    yield {plugin_id: aws.make_queue(plugin_id) for plugin_id in PRIORITIES}
    relay.environment.close()
    gateway.environment.close()


def run_relay() -> dict[str, int]:
    return relay.handler({"older_than_seconds": 0}, Invocation("outbox-relay").context)


def finish(plugin_id: str, detail: JsonObject, outcome: str = "delivered") -> JsonObject:
    """Tell the gateway what the host of the plugin does when it is done with an event."""
    request: JsonObject = {
        "operation": "event.finished",
        "arguments": {"outcome": outcome},
        "grant": detail["grant"],
    }
    return gateway.handler(request, Invocation("plugin-gateway", plugin_id=plugin_id).context)


def leave(database: TestDatabase, number: int, content: str = "text") -> list[str]:
    """Leave events in the outbox, and return their ids."""

    async def append() -> list[Event]:
        memories = PostgresDatabase(
            database.host, database.port, database.name, role_password(database.server_secret, roles.APP)
        )
        memory = Memory(id="m", content=content, user_id="ana")
        events = [memory_event("memory_created", memory) for _ in range(number)]
        async with memories.transaction(Principal("ana")) as unit:
            await unit.outbox.append(events)
        await memories.close()
        return events

    return sorted(event.id for event in asyncio.run(append()))


def ids(details: list[JsonObject]) -> list[str]:
    return sorted(str(detail["id"]) for detail in details)


def sequences(aws: AwsStack) -> int:
    return aws.clients.dynamodb.scan(TableName=SEQUENCES_TABLE)["Count"]


def test_the_first_finishes_each_event_before_the_others_get_it_also_where_it_fails(
    aws: AwsStack, database: TestDatabase, queues: dict[str, str]
) -> None:
    sent = leave(database, 30)
    assert run_relay()["published"] == 30

    to_first = aws.received(queues["first"])
    assert ids(to_first) == sent
    assert all(detail["sequenced"] is True and detail["plugins"] == ["first"] for detail in to_first)
    assert aws.received(queues["left"]) == aws.received(queues["right"]) == []

    for number, detail in enumerate(to_first, start=1):
        assert finish("first", detail, "delivered" if number % 7 else "failed") == {"ok": None}
        to_left, to_right = aws.received(queues["left"]), aws.received(queues["right"])
        assert ids(to_left) == ids(to_right) == [detail["id"]]
        assert to_left[0]["plugins"] == ["left", "right"]
        assert to_left[0]["args"] == detail["args"]
    assert sequences(aws) == 0


def test_an_event_too_large_for_an_item_arrives_whole_at_every_priority(
    aws: AwsStack, database: TestDatabase, queues: dict[str, str]
) -> None:
    leave(database, 1, "x" * 600_000)
    run_relay()
    (detail,) = aws.received(queues["first"])
    finish("first", detail)
    (following,) = aws.received(queues["left"])
    assert following["args_ref"] == detail["args_ref"]
    reference = following["args_ref"]
    assert isinstance(reference, dict)
    stored = aws.clients.s3.get_object(Bucket=str(reference["bucket"]), Key=str(reference["key"]))
    assert stored["ContentLength"] > 600_000


def test_a_first_that_died_holds_the_others_until_the_relay_finds_it_overdue(
    aws: AwsStack, database: TestDatabase, queues: dict[str, str]
) -> None:
    sent = leave(database, 2)
    run_relay()
    assert run_relay()["advanced"] == 0
    assert ids(aws.received(queues["first"])) == sent
    for event_id in sent:
        aws.clients.dynamodb.update_item(
            TableName=SEQUENCES_TABLE,
            Key={"event_id": {"S": event_id}},
            UpdateExpression="SET deadline = :past",
            ExpressionAttributeValues={":past": {"N": "1"}},
        )
    assert run_relay()["advanced"] == 2
    assert ids(aws.received(queues["left"])) == ids(aws.received(queues["right"])) == sent
    assert ids(aws.received(queues["first"])) == sent
    assert sequences(aws) == 0
