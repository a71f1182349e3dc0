"""Plugins: listed, enabled, disabled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from memory_server.domain.events import new_id
from plugin_kit.lease import LEASE_SECONDS
from tests.fixtures.aws import AwsStack, make_registration


@pytest.fixture
def plugin_id(stack: AwsStack) -> Iterator[str]:
    """The id of a plugin that is registered, with queues of its own."""
    plugin_id = f"plugin_{new_id().replace('-', '')}"
    queues = {name: stack.clients.sqs.create_queue(QueueName=f"{plugin_id}-{name}")["QueueUrl"] for name in ("q", "d")}
    registration = make_registration(plugin_id, queue_url=queues["q"], dead_letter_queue_url=queues["d"])
    asyncio.run(stack.registry().register(registration))
    yield plugin_id
    asyncio.run(stack.registry().remove(plugin_id))


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


@pytest.mark.parametrize("plugin_id", ["nobody", "%00", "A-B", "x" * 3000, "\u20ac", ".."])
def test_a_plugin_that_is_not_there_is_not_found(api: httpx.Client, plugin_id: str) -> None:
    for method, path in (
        ("POST", f"enable/{plugin_id}"),
        ("POST", f"disable/{plugin_id}"),
        ("GET", f"status/{plugin_id}"),
        ("GET", f"{plugin_id}/deliveries"),
        ("POST", f"{plugin_id}/test"),
        ("POST", f"{plugin_id}/replay"),
    ):
        body = {"test": {"hook": "memory_created"}, "replay": {"source": "dead_letters"}}.get(path.rpartition("/")[2])
        response = api.request(method, f"/plugins/{path}", json=body)
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"
