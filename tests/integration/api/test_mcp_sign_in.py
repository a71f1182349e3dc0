"""Who may use which tool: what an agent's credential does not allow, HTTP refuses, and says what would do."""

from __future__ import annotations

from typing import Final

import httpx
import pytest

from memory_api.mcp.document_tools import document_tools
from memory_api.mcp.memory_tools import memory_tools
from memory_api.mcp.tools import Tool
from memory_server.domain.principals import SCOPES, known_scopes
from memory_server.services.keys import KeyDraft
from tests.fixtures.signed_in import Keyring

TOOLS: Final[list[Tool]] = [*memory_tools(), *document_tools()]
HEADERS: Final = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}

every_tool = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)


@pytest.fixture(scope="module")
def keyring(environment: dict[str, str]) -> Keyring:
    assert environment
    return Keyring()


def ask(client: httpx.Client, credential: str | None, method: str, **params: object) -> httpx.Response:
    authorization = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = client.build_request("POST", "/mcp", json=message, headers={**HEADERS, **authorization})
    request.headers.pop("X-Test-User", None)
    return client.send(request)


def key(keyring: Keyring, *scopes: str, project: str | None = None) -> str:
    return keyring.make(KeyDraft(user_id="ada", scopes=known_scopes(scopes), project=project)).text


@every_tool
def test_no_tool_answers_a_stranger(over_uvicorn: httpx.Client, tool: Tool) -> None:
    response = ask(over_uvicorn, None, "tools/call", name=tool.name, arguments={})
    assert response.status_code == 401
    assert "/.well-known/oauth-protected-resource/mcp" in response.headers["WWW-Authenticate"]


@every_tool
def test_no_tool_answers_too_small_a_scope(over_uvicorn: httpx.Client, keyring: Keyring, tool: Tool) -> None:
    others = [scope for scope in SCOPES if scope != tool.scope]
    response = ask(over_uvicorn, key(keyring, *others), "tools/call", name=tool.name, arguments={})
    assert response.status_code == 403
    challenge = response.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{tool.scope}"' in challenge


@every_tool
def test_every_tool_answers_the_scope_that_it_asks_for(
    over_uvicorn: httpx.Client, keyring: Keyring, tool: Tool
) -> None:
    response = ask(over_uvicorn, key(keyring, tool.scope), "tools/call", name=tool.name, arguments={})
    assert response.status_code == 200


def test_resources_need_the_scope_to_read_memories(over_uvicorn: httpx.Client, keyring: Keyring) -> None:
    assert ask(over_uvicorn, key(keyring, "memories:write"), "resources/list").status_code == 403
    assert ask(over_uvicorn, key(keyring, "memories:read"), "resources/list").status_code == 200


def test_a_key_for_one_project_stores_and_finds_there_alone(over_uvicorn: httpx.Client, keyring: Keyring) -> None:
    everywhere = key(keyring, "memories:read", "memories:write")
    confined = key(keyring, "memories:read", "memories:write", project="one")
    ask(over_uvicorn, everywhere, "tools/call", name="store_memory", arguments={"content": "in another project"})
    ask(over_uvicorn, confined, "tools/call", name="store_memory", arguments={"content": "in this project"})

    listed = ask(over_uvicorn, confined, "tools/call", name="list_memories", arguments={}).json()

    memories = listed["result"]["structuredContent"]["memories"]
    assert [(memory["content"], memory["project"]) for memory in memories] == [("in this project", "one")]
