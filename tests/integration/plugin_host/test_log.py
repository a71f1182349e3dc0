"""The lines of a plugin's log say whose they are: the plugin, the event, the request, the user."""

from __future__ import annotations

import json

import pytest

from plugin_kit.json_types import JsonObject
from tests.integration.plugin_host.stack import Stack, act, cold_start, created

SOURCE = """
    async def memory_created(memory, context):
        context["logger"].info("seen")
    """


def lines(capsys: pytest.CaptureFixture[str]) -> list[JsonObject]:
    """Return the lines that were written, of which others than the log's may be no JSON."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_a_line_of_a_delivery_names_plugin_event_request_and_user(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.plugin(SOURCE)
    event = created("hello")
    stack.send(event)
    stack.poll(cold_start())
    (line,) = [line for line in lines(capsys) if line["message"] == "seen"]
    assert (line["service"], line["event_id"], line["hook"]) == ("my_plugin", event["id"], "memory_created")
    assert (line["request_id"], line["user_id"]) == ("the request", event["user_id"])


def test_a_line_of_a_hook_that_is_fired_does_so_too_and_no_later_one(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.plugin(SOURCE + "\n    async def initialize(context):\n        context['logger'].info('begun')\n")
    function, event = cold_start(), created("hello")
    act(function, "fire", detail=event)
    act(function, "initialize")
    begun, seen, again = lines(capsys)
    assert (begun["event_id"], seen["event_id"], seen["user_id"]) == (event["id"], event["id"], event["user_id"])
    assert "user_id" not in again
