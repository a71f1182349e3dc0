"""The official Python client, over HTTP and by a process that it starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest
from mcp import Client, MCPError, StdioServerParameters

from tests.integration.api.agent import STATELESS
from tests.integration.api.test_mcp_protocol import OWN_TOOLS

COMMAND: Final = Path(sys.executable).with_name("memory-server")


@pytest.fixture(params=["http", "stdio"])
def server(without_sign_in: httpx.Client, request: pytest.FixtureRequest) -> str | StdioServerParameters:
    """What the client is told to connect to."""
    url = str(without_sign_in.base_url).rstrip("/")
    if request.param == "http":
        return f"{url}/mcp"
    return StdioServerParameters(command=str(COMMAND), args=["mcp"], env={**os.environ, "MEMORY_SERVER_URL": url})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_lists_and_calls_tools_and_reads_resources(
    server: str | StdioServerParameters, mode: str
) -> None:
    async with Client(server, mode=mode) as client:
        assert (client.protocol_version == STATELESS) is (mode == "auto")
        assert {tool.name for tool in (await client.list_tools()).tools} >= OWN_TOOLS

        content = f"A lighthouse, é, {mode} over {type(server).__name__}"
        stored = await client.call_tool("store_memory", {"content": content, "project": "π"})
        assert stored.is_error is False
        # The client holds each of these against the tool's output schema.
        found = await client.call_tool("search_memories", {"query": "lighthouse", "project": "π"})
        assert content in [hit["memory"]["content"] for hit in found.structured_content["results"]]
        read = await client.call_tool("get_memory", {"memory_id": stored.structured_content["id"]})
        assert read.structured_content["memory"]["content"] == content
        assert (await client.call_tool("get_memory", {"memory_id": "x"})).is_error is True

        uri = f"memory://{stored.structured_content['id']}"
        assert uri in [resource.uri for resource in (await client.list_resources()).resources]
        [contents] = (await client.read_resource(uri)).contents
        assert getattr(contents, "text", None) == content

        fetched = await client.call_tool("fetch", {"id": stored.structured_content["id"]})
        assert fetched.structured_content["text"] == content
        await client.call_tool("delete_memory", {"memory_id": stored.structured_content["id"]})
        with pytest.raises(MCPError, match="search for the memory"):
            await client.read_resource(uri)
