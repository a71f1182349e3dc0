"""What docs/mcp.md shows works as it stands there, but for the port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from mcp import Client, StdioServerParameters

from memory_api.mcp.budget import DEFAULT_TOKENS, MAX_TOKENS, MIN_TOKENS
from tests.docs.pages import REPOSITORY, blocks
from tests.integration.api.agent import STATELESS, Agent
from tests.integration.api.test_mcp_protocol import OWN_TOOLS

PAGE: Final = REPOSITORY / "docs" / "mcp.md"
BIN: Final = Path(sys.executable).parent


def shown(language: str, port: int) -> list[str]:
    return [block.text.replace("localhost:8000", f"127.0.0.1:{port}") for block in blocks(PAGE, language)]


@pytest.fixture
def port(without_sign_in: httpx.Client) -> int:
    assert without_sign_in.base_url.port is not None
    return without_sign_in.base_url.port


async def test_every_config_of_a_client_connects_it(port: int) -> None:
    configs = shown("json", port)
    assert len(configs) == 3
    for config in configs:
        [servers] = json.loads(config).values()
        async with Client(_server(servers["memory"])) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} >= OWN_TOOLS


def test_the_program_and_the_command_run(port: int) -> None:
    [program], [command] = shown("python", port), shown("bash", port)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Priya prefers reviews before lunch." in ran.stdout
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    [memory] = json.loads(ran.stdout)["result"]["structuredContent"]["memories"]
    assert memory["project"] == "team"


def test_the_page_names_every_tool_and_the_limits_of_its_budget(without_sign_in: httpx.Client) -> None:
    page = PAGE.read_text()
    for name in Agent(without_sign_in, STATELESS).tools():
        assert f"`{name}`" in page
    assert f"({MIN_TOKENS} to {MAX_TOKENS:,}, {DEFAULT_TOKENS:,} by default)" in page


def _server(config: dict[str, Any]) -> str | StdioServerParameters:
    if "url" in config:
        return config["url"]
    environment = {**os.environ, **config["env"], "PATH": f"{BIN}:{os.environ['PATH']}"}
    return StdioServerParameters(command=str(BIN / config["command"]), args=config["args"], env=environment)
