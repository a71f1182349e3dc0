"""A plugin whose endpoints break its contract is refused, with every fault and each fault's fix."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from plugin_kit.manifest import verify
from tests.unit.plugin_kit.manifests import HOOK, INFO, faults, module


def test_an_endpoint_is_checked_part_by_part() -> None:
    endpoint = {"method": "get", "path": "summary", "handler": "summary", "tools": True}
    assert faults({**INFO, "endpoints": [endpoint, "x"]}, f"{HOOK}\ndef summary(): ...") == [
        "PLUGIN_INFO['endpoints'][0] has no 'summary': add it",
        "PLUGIN_INFO['endpoints'][0]['method'] is 'get': write one of GET, POST, PUT, PATCH, DELETE",
        "PLUGIN_INFO['endpoints'][0]['path'] is 'summary': write a path that begins with /",
        "PLUGIN_INFO['endpoints'][0] has the unknown key 'tools': did you mean 'tool'?",
        (
            "PLUGIN_INFO['endpoints'][1] is 'x': write a dict with method, path, handler, summary, scope, tool, "
            "request, response"
        ),
        "endpoint handler summary is not async: write `async def summary(request, context)`",
        "endpoint handler summary: argument 'request' is missing: write `async def summary(request, context)`",
        "endpoint handler summary: argument 'context' is missing: write `async def summary(request, context)`",
    ]


ENDPOINT = {"method": "GET", "path": "/summary", "handler": "summary", "summary": "Counts a day"}
SUMMARY = f"{HOOK}\nasync def summary(request, context): ..."


def test_the_handler_of_a_tool_has_a_name_that_agents_take() -> None:
    source = f"{HOOK}\nasync def übersicht(request, context): ..."
    endpoint = {**ENDPOINT, "handler": "übersicht"}
    assert faults({**INFO, "endpoints": [{**endpoint, "tool": True}]}, source) == [
        (
            "PLUGIN_INFO['endpoints'][0]['handler'] is 'übersicht': name the handler of a tool with at most 60 ASCII"
            " letters, digits and _"
        )
    ]


def endpoint_faults(*endpoints: Mapping[str, object]) -> list[str]:
    return [
        fault.removeprefix("PLUGIN_INFO['endpoints']")
        for fault in faults({**INFO, "endpoints": list(endpoints)}, SUMMARY)
    ]


def test_an_endpoint_is_registered_with_its_defaults() -> None:
    info = verify("my_plugin", module({**INFO, "endpoints": [ENDPOINT]}, SUMMARY))
    assert info.endpoints == ({**ENDPOINT, "scope": "plugins:read", "tool": False},)


@pytest.mark.parametrize("name", ["config", "secrets", "deliveries", "test", "replay"])
def test_a_path_that_the_server_answers_itself_is_refused(name: str) -> None:
    assert endpoint_faults({**ENDPOINT, "path": f"/{name}/mine"}) == [
        (
            f"[0]['path'] is '/{name}/mine': the server itself answers /config, /secrets, /deliveries, /test, /replay: "
            "begin with another word"
        )
    ]


def test_one_method_and_path_is_answered_once() -> None:
    day, month = ({**ENDPOINT, "path": f"/counts/{{{name}}}"} for name in ("day", "month"))
    assert endpoint_faults(day, ENDPOINT, {**month, "method": "PUT"}, month) == [
        "[3] answers the method and path of [0] again: change one of the two"
    ]


@pytest.mark.parametrize(
    ("path", "wrong"), [("/", ""), ("/a//b", ""), ("/a/", ""), ("/a b", "a b"), ("/{1}", "{1}"), ("/a{b}", "a{b}")]
)
def test_a_path_has_words_and_placeholders_between_its_slashes(path: str, wrong: str) -> None:
    assert endpoint_faults({**ENDPOINT, "path": path}) == [
        (
            f"[0]['path'] is {path!r}: write letters, digits and . _ ~ - or one {{name}} between two slashes, "
            f"in place of {wrong!r}"
        )
    ]


def test_a_placeholder_is_named_once() -> None:
    assert endpoint_faults({**ENDPOINT, "path": "/{day}/{day}"}) == ["[0]['path'] is '/{day}/{day}': name {day} once"]


def test_an_endpoints_scope_and_schemas_are_checked() -> None:
    assert endpoint_faults({**ENDPOINT, "scope": "admin", "request": "text", "response": {"a": {1}}}) == [
        "[0]['scope'] is 'admin': write one of memories:read, memories:write, plugins:read, plugins:admin",
        "[0]['request'] is 'text': write a JSON Schema as a dict of JSON values",
        "[0]['response'] is {'a': {1}}: write a JSON Schema as a dict of JSON values",
    ]


def test_a_handler_of_two_endpoints_is_faulted_once() -> None:
    endpoints = [ENDPOINT, {**ENDPOINT, "method": "POST"}]
    assert faults({**INFO, "endpoints": endpoints}, HOOK) == [
        "endpoint handler summary is not defined: write `async def summary(request, context)` in plugin.py"
    ]
