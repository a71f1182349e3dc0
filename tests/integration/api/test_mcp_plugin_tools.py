"""Endpoints that plugins mark as tools."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest

from memory_api.mcp.budget import tokens
from tests.fixtures.aws import AwsStack
from tests.integration.api.agent import STATELESS, Agent, RpcError
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

Functions = dict[str, Callable[[bytes], bytes]]
REQUEST: Final = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"$ref": "#/$defs/text"}},
    "$defs": {"text": {"type": "string", "minLength": 2}},
}
ENDPOINTS: Final = [
    {"method": "GET", "path": "/notes", "handler": "list_notes", "summary": "List the notes", "tool": True},
    {"method": "GET", "path": "/notes/{note}", "handler": "show", "summary": "Show a note", "tool": True},
    {"method": "GET", "path": "/notes/latest", "handler": "secret", "summary": "No tool"},
    {"method": "POST", "path": "/notes", "handler": "show", "summary": "Add", "request": REQUEST, "tool": True},
    {"method": "PUT", "path": "/echo", "handler": "echo", "summary": "Echo", "tool": True},
    {"method": "DELETE", "path": "/notes/{note}", "handler": "fail", "summary": "Fail", "tool": True},
]
SOURCE: Final = """
from plugin_kit.models import EndpointResponse

async def list_notes(request, context):
    return ["a", "b"]

async def show(request, context):
    return {
        "path_params": dict(request.path_params),
        "query": dict(request.query),
        "body": request.body,
        "user": context["user_id"],
    }

async def secret(request, context):
    return "secret"

async def echo(request, context):
    return EndpointResponse(**request.body)

async def fail(request, context):
    raise KeyError("the password is swordfish")
"""
SOON: Final = 8.0
"""Longer than the list of plugins is kept."""


@pytest.fixture(scope="module")
def plugin(
    stack: AwsStack, plugin_functions: Functions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DeployedPlugin]:
    with deployed(stack, plugin_functions, tmp_path_factory.mktemp("plugin")) as plugin:
        plugin.deploy(SOURCE, enabled=True, endpoints=ENDPOINTS)
        yield plugin


@pytest.fixture
def name(agent: Agent, plugin: DeployedPlugin) -> Callable[[str], str]:
    """Waits until the plugin's tools are there; gives the name of the tool for a handler."""
    names(agent, plugin, there=True)
    return lambda handler: f"{plugin.plugin_id}_{handler}"


def names(agent: Agent, plugin: DeployedPlugin, *, there: bool) -> set[str]:
    """Return the plugin's tools as soon as there are some, or none."""
    until = time.monotonic() + SOON
    while True:
        found = {name for name in agent.tools() if name.startswith(plugin.plugin_id)}
        if bool(found) is there or time.monotonic() > until:
            return found
        time.sleep(0.1)


def test_tools_come_and_go_with_their_plugin(api: httpx.Client, plugin: DeployedPlugin) -> None:
    agent = Agent(api, STATELESS)
    expected = {f"{plugin.plugin_id}_{it}" for it in ("list_notes", "show", "show_2", "echo", "fail")}
    assert names(agent, plugin, there=True) == expected
    asyncio.run(plugin.stack.registry().set_enabled(plugin.plugin_id, False))
    assert "is off" in agent.refused(f"{plugin.plugin_id}_list_notes")
    assert names(agent, plugin, there=False) == set()
    with pytest.raises(RpcError):
        agent.call(f"{plugin.plugin_id}_list_notes")
    asyncio.run(plugin.stack.registry().set_enabled(plugin.plugin_id, True))
    assert names(agent, plugin, there=True) == expected


def test_a_tool_says_what_its_endpoint_takes(agent: Agent, name: Callable[[str], str]) -> None:
    tools = agent.tools()
    show, add = tools[name("show")], tools[name("show_2")]
    assert show["description"].startswith("Show a note (by the plugin ")
    assert show["inputSchema"]["required"] == ["path"]
    assert show["inputSchema"]["properties"]["path"]["required"] == ["note"]
    assert "body" not in show["inputSchema"]["properties"]
    assert add["inputSchema"]["required"] == ["body"]
    body = add["inputSchema"]["properties"]["body"]
    assert body["properties"]["text"] == {"$ref": "#/properties/body/$defs/text"}
    hints = {handler: tools[name(handler)]["annotations"] for handler in ("show", "show_2", "echo", "fail")}
    assert [hint["readOnlyHint"] for hint in hints.values()] == [True, False, False, False]
    assert [hint["destructiveHint"] for hint in hints.values()] == [False, True, True, True]
    assert [hint["idempotentHint"] for hint in hints.values()] == [True, False, True, True]
    assert all(hint["openWorldHint"] for hint in hints.values())


def test_the_plugin_answers_for_the_user_who_asks(agent: Agent, name: Callable[[str], str]) -> None:
    answer = agent.call(name("show"), path={"note": "n 1"}, query={"a": "b"})
    assert answer == {
        "path_params": {"note": "n 1"},
        "query": {"a": "b"},
        "body": None,
        "user": agent.api.headers["X-Test-User"],
    }
    assert agent.call(name("show_2"), body={"text": "hello"})["body"] == {"text": "hello"}


def test_a_list_is_text_alone(agent: Agent, name: Callable[[str], str]) -> None:
    result = agent.result(name("list_notes"))
    assert (result["content"][0]["text"], result.get("structuredContent")) == ('["a","b"]', None)


def test_a_tool_leads_to_no_other_endpoint_than_its_own(agent: Agent, name: Callable[[str], str]) -> None:
    assert agent.call(name("show"), path={"note": "latest"})["path_params"] == {"note": "latest"}
    assert "path.note: must be a text of at least one character, and none of them /" in agent.refused(
        name("show"), path={"note": "../secret"}
    )


REFUSED: Final[dict[str, tuple[str, dict[str, Any], str]]] = {
    "no path": ("show", {}, "path.note: must be a text"),
    "a number in a path": ("show", {"path": {"note": 1}}, "path.note: must be a text"),
    "a path that is a text": ("show", {"path": "note"}, "path: must be an object of texts"),
    "a body that does not fit": ("show_2", {"body": {"text": "a"}}, "text: "),
    "no body": ("show_2", {}, "The request is not valid: "),
    "an argument too many": ("list_notes", {"body": {}}, "body: is not known here: remove it"),
    "a budget of no tokens": ("list_notes", {"max_tokens": 0}, "max_tokens: Input should be greater than"),
}


@pytest.mark.parametrize(("handler", "arguments", "reason"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_are_wrong_are_named(
    agent: Agent, name: Callable[[str], str], handler: str, arguments: dict[str, Any], reason: str
) -> None:
    assert reason in agent.refused(name(handler), **arguments)


def test_a_plugin_that_fails_tells_no_more_than_an_error_id(agent: Agent, name: Callable[[str], str]) -> None:
    said = agent.refused(name("fail"), path={"note": "n"})
    assert said.startswith("The plugin failed: ")
    assert "error_id" in said
    assert "swordfish" not in said


def test_an_answer_that_is_an_error_is_an_error(agent: Agent, name: Callable[[str], str]) -> None:
    said = agent.refused(name("echo"), body={"status": 409, "body": {"why": "taken"}})
    assert said == 'The plugin answered 409: {"why":"taken"}'
    empty = agent.result(name("echo"), body={"status": 204, "body": None})
    assert (empty["isError"], empty["content"][0]["text"]) == (False, "Done (204).")


def test_a_long_answer_stays_within_its_budget(agent: Agent, name: Callable[[str], str]) -> None:
    long = {"log": "word " * 5_000}
    result = agent.result(name("echo"), body={"body": long}, max_tokens=1_000)
    text = result["content"][0]["text"]
    assert tokens(text) <= 1_000
    assert "Raise max_tokens to see more" in text
    assert result.get("structuredContent") is None
    whole = agent.result(name("echo"), body={"body": long}, max_tokens=50_000)
    assert json.loads(whole["content"][0]["text"]) == whole["structuredContent"] == long
