"""The status of a plugin: what its host counted, what it says of itself, and what waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.fixtures.aws import PLUGINS_TABLE, AwsStack
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC).isoformat(), datetime(2026, 1, 2, tzinfo=UTC).isoformat()


@pytest.fixture
def plugin(
    stack: AwsStack, plugin_functions: dict[str, Callable[[bytes], bytes]], tmp_path: Path
) -> Iterator[DeployedPlugin]:
    with deployed(stack, plugin_functions, tmp_path) as plugin:
        plugin.deploy("async def memory_created(memory, context): pass", enabled=True, hooks=["memory_created"])
        yield plugin


def counted(plugin: DeployedPlugin, *, text: dict[str, str] | None = None, **numbers: int) -> None:
    """Write what the plugin's host would count."""
    plugin.stack.clients.dynamodb.put_item(
        TableName=PLUGINS_TABLE,
        Item={
            "plugin_id": {"S": plugin.plugin_id},
            "record": {"S": "statistics"},
            **{name: {"S": value} for name, value in (text or {}).items()},
            **{name: {"N": str(value)} for name, value in numbers.items()},
        },
    )


def status(api: httpx.Client, plugin: DeployedPlugin) -> dict[str, object]:
    response = api.get(f"/plugins/status/{plugin.plugin_id}")
    assert response.status_code == 200, response.text
    return response.json()


def test_a_plugin_that_has_done_nothing_is_ok_and_every_figure_is_there(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    shown = status(api, plugin)

    assert shown.pop("plugin") == {
        "id": plugin.plugin_id,
        "name": plugin.plugin_id.title(),
        "version": "1.0.0",
        "description": "A plugin of the tests",
        "author": "tests",
        "hooks": ["memory_created"],
        "priority": 100,
        "permissions": [],
        "enabled": True,
        "disabled_reason": None,
        "registered_at": "2026-11-22T12:00:00Z",
    }
    assert shown == {
        "health": {"state": "ok", "report": None, "reported_at": None},
        "statistics": {
            "delivered": 0,
            "failed": 0,
            "error_rate": 0.0,
            "consecutive_failures": 0,
            "last_delivered_at": None,
            "last_error": None,
            "last_error_at": None,
            "last_endpoint_error": None,
            "last_endpoint_error_at": None,
            "latency_ms": {"p50": None, "p95": None, "p99": None},
        },
        "queue": {"waiting": 0, "in_flight": 0, "dead": 0},
        "replay": None,
    }


def test_what_the_host_counted_is_shown(api: httpx.Client, plugin: DeployedPlugin) -> None:
    counted(
        plugin,
        text={"last_error": "KeyError: 'x'", "last_error_at": EARLY, "last_delivered_at": LATE},
        delivered=97,
        failed=3,
        consecutive_failures=0,
        ms_5=60,
        ms_10=34,
        ms_200=5,
        ms_30000=1,
    )
    shown = status(api, plugin)
    assert shown["statistics"] == {
        "delivered": 97,
        "failed": 3,
        "error_rate": 0.03,
        "consecutive_failures": 0,
        "last_delivered_at": "2026-01-02T00:00:00Z",
        "last_error": "KeyError: 'x'",
        "last_error_at": "2026-01-01T00:00:00Z",
        "last_endpoint_error": None,
        "last_endpoint_error_at": None,
        "latency_ms": {"p50": 5, "p95": 200, "p99": 200},
    }


def test_a_plugin_is_failing_from_a_delivery_that_failed_to_the_next_that_did_not(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    states: list[object] = []
    for failed, delivered in ((LATE, EARLY), (EARLY, LATE)):
        counted(plugin, text={"last_error": "no", "last_error_at": failed, "last_delivered_at": delivered})
        states.append(status(api, plugin)["health"])
    api.post(f"/plugins/disable/{plugin.plugin_id}")
    states.append(status(api, plugin)["health"])
    assert [health["state"] for health in states if isinstance(health, dict)] == ["failing", "ok", "disabled"]


def test_what_the_plugin_said_of_its_health_is_shown(api: httpx.Client, plugin: DeployedPlugin) -> None:
    counted(plugin, text={"health": '{"upstream":"slow"}', "health_at": LATE})
    assert status(api, plugin)["health"] == {
        "state": "ok",
        "report": {"upstream": "slow"},
        "reported_at": "2026-01-02T00:00:00Z",
    }


def test_why_the_server_disabled_a_plugin_is_shown(api: httpx.Client, plugin: DeployedPlugin) -> None:
    asyncio.run(plugin.stack.registry().set_enabled(plugin.plugin_id, False, reason="it failed 20 times in a row"))
    (listed,) = [it for it in api.get("/plugins/list").json()["plugins"] if it["id"] == plugin.plugin_id]
    assert status(api, plugin)["plugin"] == listed
    assert (listed["enabled"], listed["disabled_reason"]) == (False, "it failed 20 times in a row")
    api.post(f"/plugins/enable/{plugin.plugin_id}")
    (listed,) = [it for it in api.get("/plugins/list").json()["plugins"] if it["id"] == plugin.plugin_id]
    assert (listed["enabled"], listed["disabled_reason"]) == (True, None)


def test_what_waits_what_is_being_handled_and_what_is_dead_is_counted(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    sqs = plugin.stack.clients.sqs
    for url, number in ((plugin.queue_url, 3), (plugin.dead_letter_queue_url, 2)):
        for _ in range(number):
            sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.receive_message(QueueUrl=plugin.queue_url)
    assert status(api, plugin)["queue"] == {"waiting": 2, "in_flight": 1, "dead": 2}


@pytest.mark.parametrize("health", ["no JSON", "[" * 300 + "]" * 300, "[" * 100_000, "NaN", "1e999", '"\\ud800"'])
def test_nonsense_among_a_plugin_s_statistics_counts_for_nothing(
    api: httpx.Client, plugin: DeployedPlugin, health: str
) -> None:
    times = dict.fromkeys(("last_delivered_at", "last_error_at", "health_at"), "once")
    counted(plugin, text={"delivered": "many", "health": health, "ms_5": "x", "ms_x": "1", **times}, failed=1)
    shown = status(api, plugin)
    assert shown["health"] == {"state": "ok", "report": None, "reported_at": None}
    assert isinstance(shown["statistics"], dict)
    assert (shown["statistics"]["delivered"], shown["statistics"]["failed"]) == (0, 1)
