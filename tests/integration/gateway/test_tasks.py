"""A plugin starts its own tasks, in the name of the event's user or of every user."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import cast

import pytest

from memory_server.domain.grants import grant_key, verify
from plugin_kit.json_types import JsonObject
from tests.fixtures.aws import AwsStack, make_registration
from tests.fixtures.postgres import SERVER_SECRET
from tests.integration.gateway.conftest import Plugin


@pytest.fixture
def queue(gateway: AwsStack) -> str:
    """The queue of the plugin analytics, which has the task go_on."""
    url = gateway.make_queue("analytics")
    registration = make_registration(
        "analytics", permissions=("users", "memory:write"), queue_url=url, manifest={"tasks": ["go_on"]}
    )
    asyncio.run(gateway.registry().register(registration))
    return url


def messages(stack: AwsStack, queue: str) -> list[JsonObject]:
    found = stack.clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message.get("Body", "")) for message in found]


def test_a_task_comes_on_the_plugins_queue_with_a_grant_of_its_own(gateway: AwsStack, queue: str) -> None:
    plugin = Plugin(gateway, "analytics")
    plugin.grant = plugin.signed(caused_by=("other",))
    assert plugin.ok("memory.later", task="go_on", arguments={"part": 2}) is None
    (message,) = messages(gateway, queue)
    grant = verify(str(message["grant"]), grant_key(SERVER_SECRET), plugin_id="analytics", now=datetime.now(UTC))
    assert (grant.user_id, grant.event_id, grant.caused_by) == ("ana", message["id"], ("other",))
    assert {name: message[name] for name in ("task", "user_id", "arguments", "metadata")} == {
        "task": "go_on",
        "user_id": "ana",
        "arguments": {"part": 2},
        "metadata": {"caused_by": ["other"]},
    }


def test_a_task_waits_as_long_as_it_is_told(gateway: AwsStack, queue: str) -> None:
    Plugin(gateway, "analytics").ok("memory.later", task="go_on", delay_seconds=900)
    assert messages(gateway, queue) == []
    assert "must be a whole number from 0 to 900" in Plugin(gateway, "analytics").failed(
        "memory.later", task="go_on", delay_seconds=901
    )


def test_a_task_that_plugin_info_does_not_list_is_not_started(gateway: AwsStack, queue: str) -> None:
    plugin = Plugin(gateway, "analytics")
    assert "has no task 'stop': add it to PLUGIN_INFO['tasks']" in plugin.failed("memory.later", task="stop")
    assert "has no task 'stop'" in plugin.failed("memory.for_every_user", task="stop")
    assert messages(gateway, queue) == []


@pytest.mark.usefixtures("queue")
def test_a_task_is_started_in_a_users_event_alone(gateway: AwsStack) -> None:
    plugin = Plugin(gateway, "analytics")
    plugin.grant = plugin.signed(user_id=None)
    assert "the event is no user's" in plugin.refused("memory.later", task="go_on")
    plugin.grant = None
    assert "no valid grant" in plugin.refused("memory.later", task="go_on")


def test_every_user_who_has_or_had_memories_gets_a_task(gateway: AwsStack, queue: str) -> None:
    for user in ("ana", "bob"):
        Plugin(gateway, "analytics", user).ok("memory.create", content="kept")
        Plugin(gateway, "analytics", user).ok("memory.create", content="kept too")
    gone = Plugin(gateway, "analytics", "cy")
    gone.ok("memory.delete", memory_id=cast(JsonObject, gone.ok("memory.create", content="gone"))["id"])
    plugin = Plugin(gateway, "analytics")
    plugin.grant = None
    assert plugin.ok("memory.for_every_user", task="go_on", arguments={"why": "nightly"}) == 3
    found = messages(gateway, queue)
    assert sorted(str(message["user_id"]) for message in found) == ["ana", "bob", "cy"]
    assert len({str(message["id"]) for message in found}) == 3


def test_users_are_counted_with_the_permission_alone(gateway: AwsStack) -> None:
    plugin = Plugin(gateway, "curious")
    plugin.register("memory:read", "memory:write")
    assert "needs the permission 'users'" in plugin.refused("memory.for_every_user", task="go_on")
