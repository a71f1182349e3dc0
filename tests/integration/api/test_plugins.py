"""Plugins: listed, enabled, disabled, looked after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from memory_server.domain.events import new_id
from plugin_kit.lease import LEASE_SECONDS
from tests.fixtures.aws import PLUGINS_TABLE, AwsStack, make_registration


@pytest.fixture
def plugin_id(stack: AwsStack) -> Iterator[str]:
    """The id of a plugin that is registered, with queues of its own."""
    plugin_id = f"plugin_{new_id().replace('-', '')}"
    queues = {name: stack.clients.sqs.create_queue(QueueName=f"{plugin_id}-{name}")["QueueUrl"] for name in ("q", "d")}
    registration = make_registration(plugin_id, queue_url=queues["q"], dead_letter_queue_url=queues["d"])
    asyncio.run(stack.registry().register(registration))
    yield plugin_id
    asyncio.run(stack.registry().remove(plugin_id))


def statistics(stack: AwsStack, plugin_id: str, **values: str) -> None:
    """Write what the host would count."""
    stack.clients.dynamodb.put_item(
        TableName=PLUGINS_TABLE,
        Item={
            "plugin_id": {"S": plugin_id},
            "record": {"S": "statistics"},
            "delivered": {"N": "3"},
            "failed": {"N": "1"},
            **{name: {"S": value} for name, value in values.items()},
        },
    )


def test_registered_plugins_are_listed(api: httpx.Client, plugin_id: str) -> None:
    plugins = api.get("/plugins/list").json()["plugins"]

    assert [plugin["id"] for plugin in plugins] == [plugin_id]
    assert plugins[0]["hooks"] == ["memory_created"]
    assert plugins[0]["enabled"] is True
    assert "function_arn" not in plugins[0]


def test_a_plugin_is_disabled_and_enabled_as_often_as_one_likes(api: httpx.Client, plugin_id: str) -> None:
    for action, enabled in (("disable", False), ("disable", False), ("enable", True), ("enable", True)):
        response = api.post(f"/plugins/{action}/{plugin_id}")
        assert (response.status_code, response.json()["enabled"]) == (200, enabled)
        assert api.get("/plugins/list").json()["plugins"][0]["enabled"] is enabled


def test_disable_answers_when_no_host_can_trust_an_older_answer(api: httpx.Client, plugin_id: str) -> None:
    start = time.monotonic()
    api.post(f"/plugins/disable/{plugin_id}")

    assert time.monotonic() - start >= LEASE_SECONDS


def test_the_status_of_a_plugin_that_has_done_nothing_is_ok(api: httpx.Client, plugin_id: str) -> None:
    status = api.get(f"/plugins/status/{plugin_id}").json()

    assert status["health"] == "ok"
    assert status["plugin"]["id"] == plugin_id
    assert status["queue"] == {"waiting": 0, "dead": 0}
    assert status["statistics"]["delivered"] == 0


def test_the_status_shows_the_last_error_and_what_waits(api: httpx.Client, stack: AwsStack, plugin_id: str) -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC).isoformat(), datetime(2026, 1, 2, tzinfo=UTC).isoformat()
    registration = asyncio.run(stack.registry().get(plugin_id))
    stack.clients.sqs.send_message(QueueUrl=registration.dead_letter_queue_url, MessageBody="{}")

    statistics(stack, plugin_id, last_delivered_at=early, last_error="KeyError: 'x'", last_error_at=late)
    failing = api.get(f"/plugins/status/{plugin_id}").json()
    statistics(stack, plugin_id, last_delivered_at=late, last_error="KeyError: 'x'", last_error_at=early)
    healed = api.get(f"/plugins/status/{plugin_id}").json()
    api.post(f"/plugins/disable/{plugin_id}")

    assert (failing["health"], healed["health"]) == ("failing", "ok")
    assert failing["queue"] == {"waiting": 0, "dead": 1}
    assert failing["statistics"] == {
        "delivered": 3,
        "failed": 1,
        "last_delivered_at": "2026-01-01T00:00:00Z",
        "last_error": "KeyError: 'x'",
        "last_error_at": "2026-01-02T00:00:00Z",
    }
    assert api.get(f"/plugins/status/{plugin_id}").json()["health"] == "disabled"


@pytest.mark.parametrize("plugin_id", ["nobody", "%00", "A-B", "x" * 3000, "\u20ac", ".."])
def test_a_plugin_that_is_not_there_is_not_found(api: httpx.Client, plugin_id: str) -> None:
    for method, action in (("POST", "enable"), ("POST", "disable"), ("GET", "status")):
        response = api.request(method, f"/plugins/{action}/{plugin_id}")
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"
