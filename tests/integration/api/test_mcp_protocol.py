"""MCP on the wire: revisions, methods of HTTP, and what is no message."""

from __future__ import annotations

import time
from typing import Any, Final

import httpx
import pytest

from tests.integration.api.agent import CLIENT, HANDSHAKE, STATELESS, Agent, RpcError

OWN_TOOLS: Final = {
    *("store_memory", "search_memories", "get_memory", "update_memory", "delete_memory", "list_memories"),
    *("search", "fetch"),
}
HELLO: Final = {"capabilities": {}, "clientInfo": CLIENT}
AT_ONCE: Final = 5.0


@pytest.mark.parametrize("revision", HANDSHAKE)
def test_a_client_with_a_handshake_lists_and_calls_tools_twice_in_a_row(api: httpx.Client, revision: str) -> None:
    agent = Agent(api, revision)
    for turn in ("first", "second"):
        hello = agent.ask("initialize", {**HELLO, "protocolVersion": revision})
        assert hello["protocolVersion"] == revision
        assert hello["serverInfo"]["name"] == "memory-server"
        assert "instruction" in hello["instructions"]
        assert hello["capabilities"] == {
            "tools": {"listChanged": False},
            "resources": {"listChanged": False, "subscribe": False},
        }
        assert agent.tools().keys() == OWN_TOOLS
        stored = agent.result("store_memory", content=f"the {turn} time")
        assert (stored["isError"], stored["content"][0]["text"][:9]) == (False, "Stored as")


def test_a_client_without_a_handshake_discovers_lists_and_calls_tools_twice_in_a_row(api: httpx.Client) -> None:
    agent = Agent(api, STATELESS)
    for turn in ("first", "second"):
        assert agent.ask("server/discover")["supportedVersions"] == [STATELESS]
        assert agent.tools().keys() == OWN_TOOLS
        assert agent.call("store_memory", content=f"the {turn} time")["created"] is True


def test_eras_take_turns_on_one_server(api: httpx.Client) -> None:
    for _ in range(2):
        for revision in (STATELESS, *HANDSHAKE):
            assert Agent(api, revision).tools().keys() == OWN_TOOLS


def test_a_client_of_a_revision_to_come_is_told_which_there_are(api: httpx.Client) -> None:
    hello = Agent(api, HANDSHAKE[-1]).ask("initialize", {**HELLO, "protocolVersion": "2099-01-01"})
    assert hello["protocolVersion"] == HANDSHAKE[-1]
    with pytest.raises(RpcError) as refused:
        Agent(api, "2099-01-01").ask("tools/list")
    assert refused.value.status == 400


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_what_is_no_post_is_answered_at_once(api: httpx.Client, method: str) -> None:
    started = time.monotonic()
    response = api.request(method, "/mcp", headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert time.monotonic() - started < AT_ONCE


def test_a_subscription_is_refused_at_once(agent: Agent) -> None:
    started = time.monotonic()
    with pytest.raises(RpcError):
        agent.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    with pytest.raises(RpcError):
        agent.ask("resources/subscribe", {"uri": "memory://x"})
    assert time.monotonic() - started < AT_ONCE


@pytest.mark.parametrize("revision", [STATELESS, *HANDSHAKE])
def test_a_notification_is_taken_without_an_answer(api: httpx.Client, revision: str) -> None:
    response = api.post(
        "/mcp",
        json={"jsonrpc": "2.0", "method": "notifications/initialized"},
        headers={"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": revision},
    )
    assert (response.status_code, response.text) == (202, "")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"jsonrpc":"2.0","id":1}', b"\xff", b"[" * 100_000])
def test_what_is_no_message_is_an_error_of_the_client(agent: Agent, body: bytes) -> None:
    headers = {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": agent.revision,
    }
    assert agent.api.post("/mcp", content=body, headers=headers).status_code == 400


def test_a_message_has_its_limit(agent: Agent) -> None:
    response = agent.post("tools/call", {"name": "store_memory", "arguments": {"content": "x" * 1_100_000}})
    assert response.status_code == 413
    assert response.json()["detail"] == "send at most 1,048,576 bytes in one message"


def test_a_page_of_another_origin_is_refused(agent: Agent) -> None:
    assert agent.post("tools/list", Origin="https://evil.example").status_code == 403
    assert agent.post("tools/list", Origin=str(agent.api.base_url).rstrip("/")).status_code == 200


def test_a_server_on_a_loopback_address_believes_no_other_name(over_uvicorn: httpx.Client) -> None:
    agent = Agent(over_uvicorn, STATELESS)
    assert agent.post("tools/list", Host="evil.example").status_code == 421
    assert agent.post("tools/list", Host="localhost:8000").status_code == 200


def test_an_unknown_tool_is_an_error_that_says_what_to_do(agent: Agent) -> None:
    with pytest.raises(RpcError) as refused:
        agent.ask("tools/call", {"name": "forget_everything", "arguments": {}})
    assert refused.value.code == -32602
    assert refused.value.message == "there is no tool 'forget_everything': list the tools again"


def test_a_client_is_told_for_how_long_it_may_keep_the_list_of_tools(api: httpx.Client) -> None:
    listed = Agent(api, STATELESS).ask("tools/list")
    assert (listed["ttlMs"], listed["cacheScope"]) == (5000, "private")


def test_the_openapi_document_leaves_mcp_to_mcp(api: httpx.Client) -> None:
    paths: dict[str, Any] = api.get("/openapi.json").json()["paths"]
    assert "/memories" in paths
    assert "/mcp" not in paths
