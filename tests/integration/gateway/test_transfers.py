"""A plugin begins snapshots and loads; the function of bulk transfers is told for whom, and by whom it is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from plugin_kit.json_types import JsonObject, JsonValue
from tests.fixtures.aws import AwsStack, make_registration
from tests.fixtures.embedder import FakeEmbedder
from tests.fixtures.embedder_function import EmbedderFunction, serving
from tests.integration.gateway.conftest import Plugin

SNAPSHOT: dict[str, JsonValue] = {"then": "done"}
LOAD: dict[str, JsonValue] = {"then": "done", "key": "k", "parts": ["a.jsonl"]}


@pytest.fixture
def begun(gateway: AwsStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[JsonObject]]:
    """What the function of bulk transfers was invoked with, for the plugin backups and its task done."""
    permissions = ("memory:read", "memory:write", "files")
    registration = make_registration("backups", permissions=permissions, manifest={"tasks": ["done"]})
    asyncio.run(gateway.registry().register(registration))
    requests: list[JsonObject] = []

    def invoked(payload: bytes) -> bytes:
        requests.append(json.loads(payload))
        return b""

    with serving(EmbedderFunction(FakeEmbedder()), {"bulk": invoked}) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        monkeypatch.setenv("BULK_TRANSFER_FUNCTION", "bulk:plugin-bulk")
        yield requests


def test_a_snapshot_is_begun_for_the_events_user(gateway: AwsStack, begun: list[JsonObject]) -> None:
    plugin = Plugin(gateway, "backups")
    transfer_id = plugin.ok("memory.snapshot", **SNAPSHOT, arguments={"n": 1}, where={"project": "p"}, history=True)
    since = cast("dict[str, str]", begun[0]["caller"]).pop("since")
    assert datetime.now(UTC) - datetime.fromisoformat(since) < timedelta(minutes=1)
    assert begun == [
        {
            "kind": "snapshot",
            "caller": {
                "plugin_id": "backups",
                "user_id": "ana",
                "caused_by": [],
                "then": "done",
                "arguments": {"n": 1},
            },
            "transfer_id": transfer_id,
            "where": {"project": "p"},
            "history": True,
            "embeddings": False,
        }
    ]


def test_a_load_is_begun_with_its_key(gateway: AwsStack, begun: list[JsonObject]) -> None:
    assert Plugin(gateway, "backups").ok("memory.load", **LOAD, conflict="overwrite", project="p") is None
    (request,) = begun
    expected = {"kind": "load", "key": "k", "parts": ["a.jsonl"], "conflict": "overwrite", "project": "p"}
    assert {name: request[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("memory.snapshot", {"then": "stop"}, "has no task 'stop'"),
        ("memory.snapshot", {**SNAPSHOT, "where": {"tag": "x"}}, "tag: is unknown"),
        ("memory.load", {**LOAD, "parts": ["../other/a"]}, "is no name of a file"),
        ("memory.load", {**LOAD, "conflict": "merge"}, "conflict: must be one of skip, overwrite, duplicate"),
        ("memory.load", {"then": "done"}, "key: is missing; parts: is missing"),
    ],
)
def test_what_is_wrong_is_named_at_once_and_nothing_begins(
    gateway: AwsStack, begun: list[JsonObject], operation: str, arguments: dict[str, JsonValue], message: str
) -> None:
    assert message in Plugin(gateway, "backups").failed(operation, **arguments)
    assert begun == []


def test_both_need_an_event_of_a_user_and_both_permissions(gateway: AwsStack, begun: list[JsonObject]) -> None:
    plugin = Plugin(gateway, "backups")
    plugin.grant = plugin.signed(user_id=None)
    assert "the event is no user's" in plugin.refused("memory.snapshot", **SNAPSHOT)
    reader = Plugin(gateway, "reader")
    reader.register("memory:read", "memory:write")
    assert "needs the permission 'files'" in reader.refused("memory.snapshot", **SNAPSHOT)
    assert "needs the permission 'files'" in reader.refused("memory.load", **LOAD)
    assert begun == []
