"""The deliveries of a plugin are listed, and a hook of it is tried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from plugin_kit.delivery_log import DeliveryLog
from plugin_kit.outcomes import Outcome
from tests.fixtures.aws import DELIVERY_LOG_TABLE, PLUGINS_TABLE, AwsStack
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOOKS = """
    async def memory_created(memory, context):
        context["logger"].info(f"saw {memory.content}")
        say(context["user_id"])
        return {"content": memory.content, "project": memory.project, "test": context["metadata"]["test"]}

    async def search_failed(query, error, context):
        context["logger"].warning("about to fail")
        raise KeyError(query)
    """


@pytest.fixture
def plugin(
    stack: AwsStack, plugin_functions: dict[str, Callable[[bytes], bytes]], tmp_path: Path
) -> Iterator[DeployedPlugin]:
    with deployed(stack, plugin_functions, tmp_path) as plugin:
        plugin.deploy(HOOKS, enabled=True, hooks=["memory_created", "search_failed"])
        yield plugin


def logged(plugin: DeployedPlugin, number: int) -> None:
    """Write deliveries as the plugin's host does: a minute apart, every third failed."""
    log = DeliveryLog(plugin.stack.clients.dynamodb, DELIVERY_LOG_TABLE, plugin.plugin_id)
    log.write(
        [
            Outcome(
                event_id=f"event-{minute}",
                hook="memory_created",
                result="delivered" if minute % 3 else "failed",
                attempt=1,
                at=NOON + timedelta(minutes=minute),
                milliseconds=minute,
                error=None if minute % 3 else "KeyError: 'x'",
            )
            for minute in range(number)
        ]
    )


def pages(api: httpx.Client, plugin: DeployedPlugin, **parameters: str | int) -> list[list[str]]:
    """Return the ids of the events of each page."""
    found: list[list[str]] = []
    while True:
        answer = api.get(f"/plugins/{plugin.plugin_id}/deliveries", params=parameters).json()
        found.append([delivery["event_id"] for delivery in answer["deliveries"]])
        if answer["next_cursor"] is None:
            return found
        parameters["cursor"] = answer["next_cursor"]


def test_deliveries_are_listed_from_new_to_old_a_page_at_a_time(api: httpx.Client, plugin: DeployedPlugin) -> None:
    logged(plugin, 5)
    assert pages(api, plugin) == [["event-4", "event-3", "event-2", "event-1", "event-0"]]
    assert pages(api, plugin, limit=2) == [["event-4", "event-3"], ["event-2", "event-1"], ["event-0"]]
    assert pages(api, plugin, limit=5) == [["event-4", "event-3", "event-2", "event-1", "event-0"]]


def test_deliveries_can_be_asked_for_by_their_result(api: httpx.Client, plugin: DeployedPlugin) -> None:
    logged(plugin, 10)
    assert pages(api, plugin, result="failed", limit=3) == [["event-9", "event-6", "event-3"], ["event-0"]]
    assert pages(api, plugin, result="dropped") == [[]]


def test_a_delivery_shows_all_that_its_host_wrote(api: httpx.Client, plugin: DeployedPlugin) -> None:
    logged(plugin, 4)
    last, *_ = api.get(f"/plugins/{plugin.plugin_id}/deliveries").json()["deliveries"]
    assert last == {
        "event_id": "event-3",
        "hook": "memory_created",
        "result": "failed",
        "attempt": 1,
        "at": "2026-11-22T12:03:00Z",
        "milliseconds": 3,
        "error": "KeyError: 'x'",
    }


def test_a_plugin_that_writes_nonsense_into_its_log_hides_nothing_else(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    logged(plugin, 1)
    for number, result in enumerate(("eaten", 7)):
        plugin.stack.clients.dynamodb.put_item(
            TableName=DELIVERY_LOG_TABLE,
            Item={
                "plugin_id": {"S": plugin.plugin_id},
                "delivery_id": {"S": f"3000-01-01#{number}"},
                "result": {"S": result} if isinstance(result, str) else {"N": str(result)},
            },
        )
    assert pages(api, plugin, limit=1) == [["event-0"]]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"result": "eaten"}, "result"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "%"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "_w=="}, "cursor"),
        ({"reslut": "failed"}, "reslut"),
    ],
)
def test_a_wrong_parameter_is_named(
    api: httpx.Client, plugin: DeployedPlugin, parameters: dict[str, str], field: str
) -> None:
    response = api.get(f"/plugins/{plugin.plugin_id}/deliveries", params=parameters)
    assert response.status_code == 422
    assert [fault["field"] for fault in response.json()["errors"]] == [field]


def try_out(api: httpx.Client, plugin: DeployedPlugin, **body: object) -> dict[str, Any]:
    response = api.post(f"/plugins/{plugin.plugin_id}/test", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_test_runs_a_hook_on_a_sample_as_the_caller_and_tells_what_it_did(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    answer = try_out(api, plugin, hook="memory_created", args={"memory": {"content": "mine"}})

    assert answer["outcome"] == "delivered"
    assert answer["returned"] == {"content": "mine", "project": "billing", "test": True}
    assert any("saw mine" in line for line in answer["logs"])
    assert isinstance(answer["milliseconds"], int)
    assert answer["error"] is None
    assert plugin.function.said == [api.headers["X-Test-User"]]


def test_a_hook_that_fails_in_a_test_is_an_answer_with_its_error_and_its_log(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    answer = try_out(api, plugin, hook="search_failed", args={"query": "where"})
    assert (answer["outcome"], answer["milliseconds"], answer["returned"]) == ("failed", None, None)
    assert "KeyError: 'where'" in answer["error"]
    assert any("about to fail" in line for line in answer["logs"])


def test_a_test_is_counted_nowhere_and_works_on_a_disabled_plugin(api: httpx.Client, plugin: DeployedPlugin) -> None:
    api.post(f"/plugins/disable/{plugin.plugin_id}")
    assert try_out(api, plugin, hook="memory_created")["outcome"] == "delivered"
    assert try_out(api, plugin, hook="search_failed")["outcome"] == "failed"
    assert pages(api, plugin) == [[]]
    key = {"plugin_id": {"S": plugin.plugin_id}, "record": {"S": "statistics"}}
    assert "Item" not in plugin.stack.clients.dynamodb.get_item(TableName=PLUGINS_TABLE, Key=key)


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        ({}, "hook", "Field required"),
        ({"hook": "memory_deleted"}, "hook", "it has memory_created, search_failed"),
        ({"hook": "memory_created", "args": {"query": "x"}}, "args", "memory_created has no argument query"),
        ({"hook": "memory_created", "args": {"memory": "x"}}, "args", "malformed"),
        ({"hook": "memory_created", "args": []}, "args", "dictionary"),
        ({"hook": "memory_created", "arguments": {}}, "arguments", "not permitted"),
    ],
)
def test_a_test_that_the_plugin_cannot_run_is_refused_with_the_reason(
    api: httpx.Client, plugin: DeployedPlugin, body: dict[str, object], field: str, detail: str
) -> None:
    response = api.post(f"/plugins/{plugin.plugin_id}/test", json=body)
    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert fault["field"] == field
    assert detail in fault["detail"]
