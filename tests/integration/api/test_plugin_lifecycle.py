"""Enabling a plugin initializes it, disabling cleans it up; what fails on the way is told, and leaves no half of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import httpx
import pytest

from plugin_kit.json_types import JsonObject
from tests.fixtures.aws import AwsStack
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

SAYS = """
    async def initialize(context):
        say(f"initialized for {context['user_id']}")

    async def cleanup(context):
        say("cleaned up")

    async def nightly(context):
        pass
    """
SCHEDULES = {"nightly": "cron(0 3 * * ? *)"}


@pytest.fixture
def plugin(
    stack: AwsStack, plugin_functions: dict[str, Callable[[bytes], bytes]], tmp_path: Path
) -> Iterator[DeployedPlugin]:
    with deployed(stack, plugin_functions, tmp_path) as plugin:
        yield plugin


def is_enabled(api: httpx.Client, plugin: DeployedPlugin) -> bool:
    (listed,) = [it for it in api.get("/plugins/list").json()["plugins"] if it["id"] == plugin.plugin_id]
    return listed["enabled"]


def test_a_plugin_is_initialized_before_it_is_enabled_and_cleaned_up_after_it_is_disabled(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    plugin.deploy(SAYS, schedules=SCHEDULES)

    enabled = api.post(f"/plugins/enable/{plugin.plugin_id}")
    assert (enabled.status_code, enabled.json()["enabled"]) == (200, True)
    assert plugin.function.said == ["initialized for None"]

    disabled = api.post(f"/plugins/disable/{plugin.plugin_id}")
    assert (disabled.status_code, disabled.json()["enabled"], disabled.json()["warnings"]) == (200, False, [])
    assert plugin.function.said == ["initialized for None", "cleaned up"]


def test_only_the_first_of_several_calls_has_an_effect(api: httpx.Client, plugin: DeployedPlugin) -> None:
    plugin.deploy(SAYS, schedules=SCHEDULES)
    for action in ("enable", "enable", "disable", "disable"):
        assert api.post(f"/plugins/{action}/{plugin.plugin_id}").status_code == 200

    assert plugin.function.said == ["initialized for None", "cleaned up"]


def test_a_plugin_whose_initialize_raises_stays_off_and_says_why(api: httpx.Client, plugin: DeployedPlugin) -> None:
    plugin.deploy(
        """
        async def initialize(context):
            raise RuntimeError("there is no API key")

        async def nightly(context):
            pass
        """,
        schedules=SCHEDULES,
    )

    response = api.post(f"/plugins/enable/{plugin.plugin_id}")

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == "urn:memory-server:problem:plugin-refused"
    assert "RuntimeError: there is no API key" in response.json()["detail"]
    assert not is_enabled(api, plugin)
    assert plugin.schedules == {}


def test_a_plugin_whose_function_crashes_stays_off(
    api: httpx.Client, plugin: DeployedPlugin, plugin_functions: dict[str, Callable[[bytes], bytes]]
) -> None:
    plugin.deploy()
    error = b'{"error": {"type": "InitializeFailed", "message": "MemoryError: "}}'
    plugin_functions[plugin.plugin_id] = lambda _: error

    response = api.post(f"/plugins/enable/{plugin.plugin_id}")

    assert (response.status_code, is_enabled(api, plugin)) == (422, False)
    assert "MemoryError" in response.json()["detail"]


def test_a_cleanup_that_raises_is_a_warning_and_the_plugin_is_off(api: httpx.Client, plugin: DeployedPlugin) -> None:
    plugin.deploy('async def cleanup(context):\n    raise OSError("the disk is full")', enabled=True)

    response = api.post(f"/plugins/disable/{plugin.plugin_id}")

    assert (response.status_code, is_enabled(api, plugin)) == (200, False)
    assert ["OSError: the disk is full" in warning for warning in response.json()["warnings"]] == [True]


def test_schedules_appear_with_enable_and_vanish_with_disable(api: httpx.Client, plugin: DeployedPlugin) -> None:
    plugin.deploy(SAYS, schedules=SCHEDULES)
    assert plugin.schedules == {}

    api.post(f"/plugins/enable/{plugin.plugin_id}")
    assert plugin.schedules == SCHEDULES

    api.post(f"/plugins/disable/{plugin.plugin_id}")
    assert plugin.schedules == {}


def test_events_of_this_process_reach_a_plugin_as_soon_as_it_is_enabled(
    api: httpx.Client, plugin: DeployedPlugin, stack: AwsStack
) -> None:
    plugin.deploy("async def memory_created(memory, context): pass", hooks=["memory_created"])
    api.post("/memories", json={"content": "before"})
    api.post(f"/plugins/enable/{plugin.plugin_id}")
    api.post("/memories", json={"content": "between"})
    api.post(f"/plugins/disable/{plugin.plugin_id}")
    api.post("/memories", json={"content": "after"})
    asyncio.run(asyncio.sleep(0.2))  # uvicorn answers before it publishes

    created = [
        cast("dict[str, dict[str, JsonObject]]", detail)["args"]["memory"]
        for detail in stack.received(plugin.queue_url)
    ]
    assert [memory["content"] for memory in created] == ["between"]
