"""Endpoints of plugins that do not answer as they should: the client learns of it, and nobody else waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import pytest

from memory_server.adapters import lambda_plugin_functions
from memory_server.services.plugin_endpoints import MAX_WAITING
from tests.fixtures.aws import AwsStack
from tests.fixtures.embedder_function import FunctionCrashed, Throttled
from tests.integration.api.deployed_plugin import DeployedPlugin, deployed

Functions = dict[str, Callable[[bytes], bytes]]

ENDPOINTS: Final = [
    {"method": "GET", "path": "/notes", "handler": "list_notes", "summary": "List the notes"},
    {"method": "DELETE", "path": "/notes/{note}", "handler": "fail", "summary": "Raise"},
]
SOURCE: Final = """
async def list_notes(request, context):
    return ["a", "b"]

async def fail(request, context):
    raise KeyError("the password is swordfish")
"""


def _response(
    status: bytes = b"200", etag: bytes = b"1", content_type: bytes = b"text/html", body: bytes = b""
) -> bytes:
    return b'{"ok": {"status": %s, "headers": {"ETag": "%s"}, "content_type": "%s", "body": %s}}' % (
        status,
        etag,
        content_type,
        body or b'""',
    )


NONSENSE: Final = {
    "nothing": b"",
    "no JSON": b"text",
    "null": b"null",
    "an object without a key": b"{}",
    "an error that is a text": b'{"error": "text"}',
    "an error without a message": b'{"error": {}}',
    "a number for a response": b'{"ok": 1}',
    "a status that is a text": _response(status=b'"200"'),
    "a status that is not final": _response(status=b"100"),
    "a header that is not Latin-1": _response(etag=b"\\u20ac"),
    "a header of two lines": _response(content_type=b"text/html\\r\\nA: b"),
    "an object as HTML": _response(body=b"{}"),
    "half of a character": _response(body=b'"\\ud800"'),
    "over 5 MB": _response(body=b'"%s"' % (b"a" * 5_100_000)),
    "what would be over 6 MB in base64": _response(content_type=b"image/svg+xml", body=b'"%s"' % (b"a" * 4_700_000)),
    "50 MB": b" " * 50_000_000,
    "a list 200,000 deep": b"[" * 200_000,
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


def test_an_endpoint_that_raises_is_a_502_that_tells_the_client_no_more_than_where_to_look(
    api: httpx.Client, plugin: DeployedPlugin, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = api.delete(f"{url}/notes/a")

    assert response.status_code == 502
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["plugin"] == plugin.plugin_id
    assert "swordfish" not in response.text
    [line] = [record.getMessage() for record in caplog.records if problem["error_id"] in record.getMessage()]
    assert "HookFailed" in line
    assert "swordfish" in line


def test_the_plugins_status_tells_the_operator_what_kept_an_endpoint_from_answering(
    api: httpx.Client, plugin: DeployedPlugin, url: str
) -> None:
    before = datetime.now(UTC)
    api.delete(f"{url}/notes/a")

    status = api.get(f"/plugins/status/{plugin.plugin_id}").json()

    error = status["statistics"]["last_endpoint_error"]
    assert error == f"DELETE {url}/notes/{{note}}: HookFailed: KeyError: 'the password is swordfish'"
    assert datetime.fromisoformat(status["statistics"]["last_endpoint_error_at"]) >= before
    assert status["health"]["state"] == "ok"


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_a_function_that_answers_nonsense_is_a_502(
    api: httpx.Client, plugin: DeployedPlugin, plugin_functions: Functions, url: str, answer: bytes
) -> None:
    def function(_: bytes) -> bytes:
        return answer

    plugin_functions[plugin.plugin_id] = function

    response = api.get(f"{url}/notes")

    assert (response.status_code, response.json()["plugin"]) == (502, plugin.plugin_id)


def test_a_function_that_crashes_is_a_502(
    api: httpx.Client, plugin: DeployedPlugin, plugin_functions: Functions, url: str
) -> None:
    def crash(_: bytes) -> bytes:
        raise FunctionCrashed("RequestId: 1 Error: Runtime exited with error: signal: killed")

    plugin_functions[plugin.plugin_id] = crash
    response = api.get(f"{url}/notes")

    assert (response.status_code, response.json()["plugin"]) == (502, plugin.plugin_id)


def test_a_function_that_has_no_environment_left_is_a_503(
    api: httpx.Client, plugin: DeployedPlugin, plugin_functions: Functions, url: str
) -> None:
    def throttle(_: bytes) -> bytes:
        raise Throttled

    plugin_functions[plugin.plugin_id] = throttle
    response = api.get(f"{url}/notes")

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_a_function_that_hangs_is_a_504_and_keeps_nobody_from_anything_else(
    over_uvicorn: httpx.Client,
    plugin: DeployedPlugin,
    plugin_functions: Functions,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lambda_plugin_functions, "_ENDPOINT_SECONDS", 2.0)

    def hang(_: bytes) -> bytes:
        time.sleep(4)
        return b""

    plugin_functions[plugin.plugin_id] = hang
    with ThreadPoolExecutor(MAX_WAITING + 2) as threads:
        waiting = [threads.submit(over_uvicorn.get, f"{url}/notes") for _ in range(MAX_WAITING + 2)]
        time.sleep(0.5)
        start = time.monotonic()
        created = over_uvicorn.post("/memories", json={"content": "meanwhile"})
        took = time.monotonic() - start
        answers = [answer.result() for answer in waiting]

    assert (created.status_code, took < 1.5) == (201, True)
    assert sorted(answer.status_code for answer in answers) == [503, 503] + [504] * MAX_WAITING
    assert {answer.json()["plugin"] for answer in answers if answer.status_code == 504} == {plugin.plugin_id}
