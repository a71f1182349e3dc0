"""What plugins report of their health, in the server's own health document."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.aws import PLUGINS_TABLE, AwsStack
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

# Far more than it takes, and far less than the plugin would.
SLOW_SECONDS = 3
NOTHING_REPORTED = {"enabled": True, "health": None, "reported_at": None, "last_error": None}


@pytest.fixture
def plugin(
    stack: AwsStack, plugin_functions: dict[str, Callable[[bytes], bytes]], tmp_path: Path
) -> Iterator[DeployedPlugin]:
    """A plugin that is on, and whose function would never answer."""
    with deployed(stack, plugin_functions, tmp_path) as plugin:
        source = "async def health_check(context):\n    pass\n"
        plugin.deploy(source, enabled=True, hooks=["health_check"])

        def hang(_: bytes) -> bytes:
            time.sleep(30)
            return b""

        plugin_functions[plugin.plugin_id] = hang
        yield plugin


def report(api: httpx.Client, plugin: DeployedPlugin, *, other_than: object = None) -> dict[str, Any]:
    """Return the plugin's part of the document, when it is there; it may be some seconds old."""
    until = time.monotonic() + 8
    while time.monotonic() < until:
        start = time.monotonic()
        response = api.get("/health/ready")
        assert response.status_code == 200
        assert time.monotonic() - start < SLOW_SECONDS
        plugins: dict[str, Any] = response.json()["plugins"] or {}
        if plugins.get(plugin.plugin_id) not in (None, other_than):
            return plugins[plugin.plugin_id]
        time.sleep(0.1)
    raise AssertionError("the document does not show what is new")


def write_statistics(plugin: DeployedPlugin, **values: str) -> None:
    """Write what the plugin's host would."""
    key = {"plugin_id": {"S": plugin.plugin_id}, "record": {"S": "statistics"}}
    item = {**key, **{name: {"S": value} for name, value in values.items()}}
    plugin.stack.clients.dynamodb.put_item(TableName=PLUGINS_TABLE, Item=item)


def test_a_plugin_that_hangs_or_raises_makes_the_server_neither_slow_nor_ill(
    api: httpx.Client, plugin: DeployedPlugin
) -> None:
    first = report(api, plugin)
    write_statistics(plugin, last_error="HookFailed: RuntimeError: ill", last_error_at="2026-11-22T12:00:00+00:00")

    assert first == NOTHING_REPORTED
    assert report(api, plugin, other_than=first)["last_error"] == "HookFailed: RuntimeError: ill"


def test_what_a_plugin_reported_last_is_told_with_its_time(api: httpx.Client, plugin: DeployedPlugin) -> None:
    write_statistics(plugin, health='{"backups": 3}', health_at="2026-11-22T12:00:00+00:00")

    assert report(api, plugin) == {**NOTHING_REPORTED, "health": {"backups": 3}, "reported_at": "2026-11-22T12:00:00Z"}


def test_a_report_that_the_plugin_broke_is_none(api: httpx.Client, plugin: DeployedPlugin) -> None:
    write_statistics(plugin, health="{", health_at="yesterday")

    assert report(api, plugin) == NOTHING_REPORTED
