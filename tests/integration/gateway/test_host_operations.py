"""What a plugin's host tells the server: that an event is done with, and that the plugin keeps failing."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from memory_server.domain.events import memory_event
from memory_server.services.delivery_ports import EventSequence
from plugin_kit.envelope import Event, encode
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory
from tests.fixtures.aws import BUS, PLUGINS_TABLE, SEQUENCES_TABLE, AwsStack
from tests.integration.gateway.conftest import Plugin


@pytest.fixture
def announced(gateway: AwsStack) -> str:
    """A queue that gets what is announced on the bus for operators."""
    sqs, events = gateway.clients.sqs, gateway.clients.events
    url = sqs.create_queue(QueueName="operators")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["memory.server"], "detail-type": ["plugin_disabled"]})
    events.put_rule(Name="operators", EventBusName=BUS, EventPattern=pattern)
    events.put_targets(Rule="operators", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def failures(stack: AwsStack, number: int) -> None:
    """Write what the host of analytics would have counted."""
    item = {"consecutive_failures": {"N": str(number)}, "last_error": {"S": "KeyError: 'x'"}}
    key = {"plugin_id": {"S": "analytics"}, "record": {"S": "statistics"}}
    stack.clients.dynamodb.put_item(TableName=PLUGINS_TABLE, Item={**key, **item})


def is_enabled(stack: AwsStack) -> bool:
    return asyncio.run(stack.registry().get("analytics")).enabled


def test_a_plugin_that_failed_twenty_times_in_a_row_is_disabled_and_operators_are_told(
    gateway: AwsStack, plugin: Plugin, announced: str
) -> None:
    queue = gateway.make_queue("analytics")
    failures(gateway, 20)
    assert plugin.ok("plugin.failing") == {"disabled": True}

    registration = asyncio.run(gateway.registry().get("analytics"))
    assert not registration.enabled
    assert "it failed 20 times in a row" in (registration.disabled_reason or "")
    assert "KeyError" not in (registration.disabled_reason or "")
    (detail,) = gateway.received(announced)
    assert detail.keys() == {"plugin_id", "reason", "time"}
    assert (detail["plugin_id"], detail["reason"]) == ("analytics", registration.disabled_reason)
    assert datetime.fromisoformat(str(detail["time"])).tzinfo is not None
    assert gateway.received(queue) == []

    assert plugin.ok("plugin.failing") == {"disabled": True}
    assert gateway.received(announced) == []


def test_a_plugin_is_disabled_for_what_was_counted_and_not_for_what_it_says(
    gateway: AwsStack, plugin: Plugin, announced: str
) -> None:
    for number in (0, 19):
        failures(gateway, number)
        assert plugin.ok("plugin.failing") == {"disabled": False}
    assert is_enabled(gateway)
    assert gateway.received(announced) == []


def test_the_limit_is_a_setting_and_0_disables_none(
    gateway: AwsStack, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILURE_LIMIT", "0")
    failures(gateway, 1000)
    assert plugin.ok("plugin.failing") == {"disabled": False}
    assert is_enabled(gateway)


def test_a_plugin_that_is_enabled_again_may_fail_as_often_as_before(gateway: AwsStack, plugin: Plugin) -> None:
    failures(gateway, 25)
    plugin.ok("plugin.failing")
    enabled = asyncio.run(gateway.registry().set_enabled("analytics", True))
    assert (enabled.enabled, enabled.disabled_reason) == (True, None)
    assert plugin.ok("plugin.failing") == {"disabled": False}


def test_the_plugins_of_the_next_priority_get_an_event_when_the_one_before_has_finished(
    gateway: AwsStack, plugin: Plugin
) -> None:
    others = [Plugin(gateway, "second"), Plugin(gateway, "third")]
    queues = [gateway.make_queue(other.plugin_id) for other in others]
    for other in others:
        other.register(hooks=("memory_created",))
    event = sequenced(gateway, pending=["analytics"], waves=(("second",), ("third",)))

    plugin.grant = plugin.signed(event_id=event.id)
    assert plugin.ok("event.finished", outcome="failed") is None
    (detail,) = gateway.received(queues[0])
    assert (detail["id"], detail["plugins"], detail["sequenced"]) == (event.id, ["second"], True)
    assert gateway.received(queues[1]) == []
    assert plugin.ok("event.finished", outcome="delivered") is None
    assert gateway.received(queues[0]) == []

    others[0].grant = str(detail["grant"])
    others[0].ok("event.finished", outcome="delivered")
    (last,) = gateway.received(queues[1])
    assert (last["id"], last["plugins"]) == (event.id, ["third"])
    assert "sequenced" not in last
    assert gateway.clients.dynamodb.scan(TableName=SEQUENCES_TABLE)["Items"] == []


def test_a_plugin_finishes_no_event_that_it_was_not_given(gateway: AwsStack, plugin: Plugin) -> None:
    second = gateway.make_queue("second")
    Plugin(gateway, "second").register(hooks=("memory_created",))
    sequenced(gateway, pending=["first"], waves=(("second",),))
    plugin.ok("event.finished", outcome="delivered")
    assert gateway.received(second) == []
    plugin.grant = None
    assert "no valid grant" in plugin.refused("event.finished", outcome="delivered")
    plugin.grant = plugin.signed()
    assert "outcome: must be one of" in plugin.failed("event.finished", outcome="eaten")


def test_an_event_too_large_for_the_bus_arrives_whole_at_the_next_priority(gateway: AwsStack, plugin: Plugin) -> None:
    second = gateway.make_queue("second")
    Plugin(gateway, "second").register(hooks=("memory_created",))
    event = sequenced(gateway, pending=["analytics"], waves=(("second",),), content="x" * 500_000)
    plugin.grant = plugin.signed(event_id=event.id)
    plugin.ok("event.finished", outcome="delivered")
    (detail,) = gateway.received(second)
    reference = detail["args_ref"]
    assert isinstance(reference, dict)
    stored = gateway.clients.s3.get_object(Bucket=str(reference["bucket"]), Key=str(reference["key"]))
    args: JsonObject = json.loads(stored["Body"].read())
    assert args == encode(event)["args"]


def sequenced(
    stack: AwsStack, *, pending: list[str], waves: tuple[tuple[str, ...], ...], content: str = "text"
) -> Event:
    """Leave an event on its way to ``waves``."""
    event = memory_event("memory_created", Memory(id="m", content=content, user_id="ana"))
    deadline = datetime.now(UTC) + timedelta(minutes=5)
    sequence = EventSequence(event=event, pending=frozenset(pending), waves=waves, deadline=deadline)
    asyncio.run(stack.sequences().start(sequence))
    return event
