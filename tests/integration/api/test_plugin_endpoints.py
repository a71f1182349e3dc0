"""The endpoints of plugins, asked through the server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from memory_server.domain.grants import grant_key, verify
from tests.fixtures.aws import AwsStack
from tests.fixtures.postgres import SERVER_SECRET
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

Functions = dict[str, Callable[[bytes], bytes]]

ENDPOINTS: Final = [
    {"method": "GET", "path": "/notes", "handler": "list_notes", "summary": "List the notes"},
    {"method": "GET", "path": "/notes/{note}", "handler": "show", "summary": "Show a note"},
    {"method": "GET", "path": "/notes/latest", "handler": "latest", "summary": "Show the latest note"},
    {
        "method": "POST",
        "path": "/notes",
        "handler": "show",
        "summary": "Add a note",
        "request": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"type": "string"}, "marks": {"type": "array", "items": {"type": "integer"}}},
        },
    },
    {"method": "PUT", "path": "/page", "handler": "page", "summary": "Answer with more than JSON"},
]
SOURCE: Final = """
from plugin_kit.models import EndpointResponse

async def list_notes(request, context):
    return ["a", "b"]

async def latest(request, context):
    return "the latest"

async def show(request, context):
    return {
        "method": request.method,
        "path": request.path,
        "path_params": dict(request.path_params),
        "query": dict(request.query),
        "body": request.body,
        "user": context["user_id"],
    }

async def page(request, context):
    return EndpointResponse(**request.body)
"""
REFUSED: Final = {
    "wrong types": (b'{"text": 1, "marks": [1, "2"]}', ["#/text", "#/marks/1"]),
    "a property too few and one too many": (b'{"txt": "a"}', ["#/text", "#/txt"]),
    "a list": (b"[]", ["#"]),
    "nothing": (b"", ["#"]),
    "half of an object": (b"{", ["#"]),
    "what JSON has no word for": (b'{"text": NaN}', ["#"]),
    "half of a character": (b'{"text": "\\ud800"}', ["#"]),
    "no Unicode": (b"\xff", ["#"]),
    "a number of 5,000 digits": (b'{"text": %s}' % (b"9" * 5000), ["#"]),
    "a list 600 deep": (b'{"text": "a", "marks": %s%s}' % (b"[" * 600, b"]" * 600), ["#"]),
    "a list 200,000 deep": (b"[" * 200_000, ["#"]),
}


@pytest.fixture
def plugin(stack: AwsStack, plugin_functions: Functions, tmp_path: Path) -> Iterator[DeployedPlugin]:
    """A plugin that is on and has the endpoints."""
    with deployed(stack, plugin_functions, tmp_path) as plugin:
        plugin.deploy(SOURCE, enabled=True, endpoints=ENDPOINTS)
        yield plugin


@pytest.fixture
def url(plugin: DeployedPlugin) -> str:
    return f"/plugins/{plugin.plugin_id}"


def test_an_endpoint_answers_with_what_its_handler_returns(api: httpx.Client, url: str) -> None:
    response = api.get(f"{url}/notes")

    assert (response.status_code, response.json()) == (200, ["a", "b"])
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_handler_is_told_of_the_request_and_of_the_user(api: httpx.Client, url: str) -> None:
    response = api.post(f"{url}/notes?a=1&b=%C3%A9&a=2", json={"text": "caf\u00e9", "marks": [1]})

    assert response.json() == {
        "method": "POST",
        "path": "/notes",
        "path_params": {},
        "query": {"a": "2", "b": "\u00e9"},
        "body": {"text": "caf\u00e9", "marks": [1]},
        "user": api.headers["X-Test-User"],
    }


def test_a_path_that_is_spelled_out_comes_before_one_with_placeholders(api: httpx.Client, url: str) -> None:
    assert api.get(f"{url}/notes/latest").json() == "the latest"
    assert api.get(f"{url}/notes/caf%C3%A9").json()["path_params"] == {"note": "caf\u00e9"}


def test_head_and_options_answer_for_the_endpoints_that_are_there(api: httpx.Client, url: str) -> None:
    head, options = api.head(f"{url}/notes"), api.options(f"{url}/notes")

    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "9")
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")


def test_what_is_no_endpoint_says_which_there_are(api: httpx.Client, url: str) -> None:
    response = api.get(f"{url}/nothing")

    assert response.status_code == 404
    problem = response.json()
    assert problem["type"].endswith("endpoint-not-found")
    assert problem["endpoints"][:2] == [f"GET {url}/notes", f"GET {url}/notes/{{note}}"]
    for path in ("/", "/notes/", "/notes/a/b", "/notes%2Fa%2Fb"):
        assert api.get(f"{url}{path}").status_code == 404


def test_another_method_is_told_which_are_taken(api: httpx.Client, url: str) -> None:
    response = api.patch(f"{url}/notes")

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


def test_the_servers_own_paths_are_no_endpoints(api: httpx.Client, plugin: DeployedPlugin, url: str) -> None:
    for path, allowed in (
        (f"/plugins/enable/{plugin.plugin_id}", "POST"),
        (f"/plugins/status/{plugin.plugin_id}", "GET"),
        (f"{url}/config", "GET, PUT"),
    ):
        response = api.delete(path)
        assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert api.get("/plugins/nobody/notes").status_code == 404
    assert api.get(f"{url}/config/more").json()["type"] == "about:blank"


def test_a_plugin_that_is_off_answers_nothing_and_says_how_it_is_switched_on(
    api: httpx.Client, plugin: DeployedPlugin, url: str
) -> None:
    api.post(f"/plugins/disable/{plugin.plugin_id}")
    off = api.get(f"{url}/notes")
    api.post(f"/plugins/enable/{plugin.plugin_id}")

    assert off.status_code == 409
    assert f"POST /plugins/enable/{plugin.plugin_id}" in off.json()["detail"]
    assert api.get(f"{url}/notes").status_code == 200


@pytest.mark.parametrize(("body", "pointers"), REFUSED.values(), ids=REFUSED)
def test_a_body_that_its_schema_refuses_reaches_no_plugin(
    api: httpx.Client, url: str, body: bytes, pointers: list[str]
) -> None:
    response = api.post(f"{url}/notes", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert {error["pointer"] for error in response.json()["errors"]} == set(pointers)


def test_a_body_must_be_json_and_not_too_large(api: httpx.Client, url: str) -> None:
    large = {"text": "a" * (1024 * 1024)}

    assert api.post(f"{url}/notes", content=b'{"text": "a"}', headers={"Content-Type": "text/plain"}).status_code == 415
    assert api.post(f"{url}/notes", json=large).status_code == 413


def test_an_answer_may_have_a_status_some_headers_and_a_content_type(api: httpx.Client, url: str) -> None:
    headers = {"ETag": '"1"', "Cache-Control": "no-store", "Set-Cookie": "a=b", "X-A": "b", "Connection": "close"}
    answer = {"status": 201, "body": "<p>caf\u00e9</p>", "content_type": "text/html", "headers": headers}

    response = api.put(f"{url}/page", json=answer)

    assert (response.status_code, response.text) == (201, "<p>caf\u00e9</p>")
    assert response.headers["Content-Type"].startswith("text/html")
    assert (response.headers["ETag"], response.headers["Cache-Control"]) == ('"1"', "no-store")
    assert not {"Set-Cookie", "X-A"} & response.headers.keys()
    # Such a page can run no script, and belongs to an origin of its own.
    assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize("status", [204, 304, 299, 599])
def test_every_final_status_is_one_that_a_plugin_may_answer(api: httpx.Client, url: str, status: int) -> None:
    assert api.put(f"{url}/page", json={"status": status}).status_code == status


def test_a_plugin_is_given_leave_to_act_for_the_user_who_asks_for_as_long_as_a_request_lasts(
    api: httpx.Client, plugin: DeployedPlugin, plugin_functions: Functions, url: str
) -> None:
    calls: list[dict[str, Any]] = []

    def note(payload: bytes) -> bytes:
        calls.append(json.loads(payload))
        return b'{"ok": {"status": 200, "headers": {}, "content_type": "application/json", "body": null}}'

    plugin_functions[plugin.plugin_id] = note
    api.get(f"{url}/notes")

    [call] = calls
    event = call["event"]
    grant = verify(event["grant"], grant_key(SERVER_SECRET), plugin_id=plugin.plugin_id, now=datetime.now(UTC))
    assert (grant.user_id, grant.event_id) == (api.headers["X-Test-User"], event["id"])
    assert (grant.expires_at - datetime.now(UTC)).total_seconds() < 120
    assert call["handler"] == "list_notes"


def test_the_openapi_document_has_the_endpoints_of_the_plugins_that_are_on(
    api: httpx.Client, plugin: DeployedPlugin, url: str
) -> None:
    def paths(wanted: bool) -> dict[str, Any]:
        until = time.monotonic() + 8
        document: dict[str, Any] = {}
        while time.monotonic() < until:
            document = api.get("/openapi.json").json()
            if (f"{url}/notes" in document["paths"]) == wanted:
                break
            time.sleep(0.1)
        return document

    document = paths(wanted=True)
    asyncio.run(plugin.stack.registry().set_enabled(plugin.plugin_id, False))
    without = paths(wanted=False)

    added = document["paths"][f"{url}/notes"]["post"]
    assert added["operationId"] == f"{plugin.plugin_id}_show_2"
    assert added["responses"].keys() >= {"200", "409", "422", "502", "504"}
    reference = added["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert document["components"]["schemas"][reference.rpartition("/")[2]] == ENDPOINTS[3]["request"]
    assert document["paths"][f"{url}/notes/{{note}}"]["get"]["parameters"][0]["name"] == "note"
    assert {"name": "plugin", "description": ""}.keys() == document["tags"][0].keys()
    assert not [path for path in without["paths"] if path.startswith(url)]
    assert "/memories" in without["paths"]
