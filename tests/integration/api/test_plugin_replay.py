"""A replay is accepted, noted, and begun by the relay; the plugin's status tells how far it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from memory_server.services.delivery_ports import Replay
from plugin_kit.json_types import JsonObject
from tests.fixtures.aws import AwsStack
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

RANGE = {"since": "2026-11-22T12:00:00Z", "until": "2026-11-22T13:00:00+00:00"}


@pytest.fixture
def plugin(
    stack: AwsStack, plugin_functions: dict[str, Callable[[bytes], bytes]], tmp_path: Path
) -> Iterator[DeployedPlugin]:
    with deployed(stack, plugin_functions, tmp_path) as plugin:
        plugin.deploy(enabled=True)
        yield plugin


@pytest.fixture
def woken(plugin_functions: dict[str, Callable[[bytes], bytes]]) -> Iterator[list[JsonObject]]:
    """What the relay's function was invoked with."""
    payloads: list[JsonObject] = []

    def relay(payload: bytes) -> bytes:
        payloads.append(json.loads(payload))
        return b"{}"

    plugin_functions["relay"] = relay
    yield payloads
    del plugin_functions["relay"]


def noted(plugin: DeployedPlugin) -> Replay:
    replay = asyncio.run(plugin.stack.replays().get(plugin.plugin_id))
    assert replay is not None
    return replay


def test_a_replay_of_dead_letters_is_accepted_with_their_number(
    api: httpx.Client, plugin: DeployedPlugin, woken: list[JsonObject]
) -> None:
    for _ in range(2):
        plugin.stack.clients.sqs.send_message(QueueUrl=plugin.dead_letter_queue_url, MessageBody="{}")

    response = api.post(f"/plugins/{plugin.plugin_id}/replay", json={"source": "dead_letters"})

    assert response.status_code == 202
    answer = response.json()
    assert (answer["source"], answer["events"], answer["done"]) == ("dead_letters", 2, False)
    assert noted(plugin).replay_id == answer["replay_id"]
    assert woken == [{"replay": {}}]


def test_a_replay_of_the_archive_is_accepted_and_its_status_shown(
    api: httpx.Client, plugin: DeployedPlugin, woken: list[JsonObject]
) -> None:
    response = api.post(f"/plugins/{plugin.plugin_id}/replay", json={"source": "archive", **RANGE, "force": True})

    assert (response.status_code, len(woken)) == (202, 1)
    answer = response.json()
    assert answer.pop("events") is None
    assert (answer["since"], answer["until"]) == ("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
    shown = api.get(f"/plugins/status/{plugin.plugin_id}").json()["replay"]
    assert shown == answer
    asyncio.run(plugin.stack.replays().save(replace(noted(plugin), done=True, replayed=7)))
    shown = api.get(f"/plugins/status/{plugin.plugin_id}").json()["replay"]
    assert shown == {**answer, "done": True, "replayed": 7}


def test_one_replay_runs_at_a_time(api: httpx.Client, plugin: DeployedPlugin, woken: list[JsonObject]) -> None:
    path, body = f"/plugins/{plugin.plugin_id}/replay", {"source": "dead_letters"}
    assert api.post(path, json=body).status_code == 202
    refused = api.post(path, json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:memory-server:problem:replay-running")
    asyncio.run(plugin.stack.replays().save(replace(noted(plugin), done=True)))
    assert api.post(path, json=body).status_code == 202
    assert len(woken) == 2


def test_nothing_is_replayed_to_a_disabled_plugin_which_would_drop_it(
    api: httpx.Client, plugin: DeployedPlugin, woken: list[JsonObject]
) -> None:
    api.post(f"/plugins/disable/{plugin.plugin_id}")
    refused = api.post(f"/plugins/{plugin.plugin_id}/replay", json={"source": "dead_letters"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:memory-server:problem:plugin-not-enabled")
    assert asyncio.run(plugin.stack.replays().get(plugin.plugin_id)) is None
    assert woken == []


def test_a_relay_that_cannot_be_woken_begins_at_its_next_minute(
    api: httpx.Client, plugin: DeployedPlugin, plugin_functions: dict[str, Callable[[bytes], bytes]]
) -> None:
    def away(_: bytes) -> bytes:
        raise ConnectionError("the relay is away")

    plugin_functions["relay"] = away
    response = api.post(f"/plugins/{plugin.plugin_id}/replay", json={"source": "dead_letters"})
    del plugin_functions["relay"]
    assert response.status_code == 202
    assert noted(plugin).replay_id == response.json()["replay_id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": "everything"},
        {"source": "archive"},
        {"source": "archive", "since": RANGE["since"]},
        {"source": "archive", "since": RANGE["until"], "until": RANGE["since"]},
        {"source": "archive", "since": "2026-11-22", "until": RANGE["until"]},
        {"source": "dead_letters", "since": RANGE["since"]},
        {"source": "dead_letters", "force": True},
        {"source": "dead_letters", "force": 1},
    ],
)
def test_a_replay_of_nothing_in_particular_is_refused(
    api: httpx.Client, plugin: DeployedPlugin, woken: list[JsonObject], body: dict[str, object]
) -> None:
    assert api.post(f"/plugins/{plugin.plugin_id}/replay", json=body).status_code == 422
    assert woken == []
