"""The official conformance suite and the official inspector, against the server as it runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from memory_server.domain.events import new_id
from tests.docs.pages import REPOSITORY
from tests.integration.api.test_mcp_protocol import OWN_TOOLS

PACKAGES: Final = REPOSITORY / ".node" / "node_modules"
EXPECTED: Final = REPOSITORY / "tests" / "conformance"
ERAS: Final = {"2025-11-25": ("--spec-version", "2025-11-25"), "2026-07-28": ("--requirements", "2026-07-28")}


@pytest.fixture
def url(without_sign_in: httpx.Client) -> str:
    """Where MCP answers; the user has a memory."""
    without_sign_in.post("/memories", json={"content": "There is a lighthouse."}).raise_for_status()
    return f"{str(without_sign_in.base_url).rstrip('/')}/mcp"


@pytest.mark.parametrize("era", ERAS)
def test_the_server_conforms_but_for_what_it_does_not_offer(url: str, era: str, tmp_path: Path) -> None:
    expected = EXPECTED / f"expected_failures_{era}.yaml"
    arguments = ("server", "--url", url, *ERAS[era], "--expected-failures", str(expected))
    ran = node("@modelcontextprotocol/conformance/dist/index.js", *arguments, folder=tmp_path)
    assert ran.returncode == 0, ran.stdout[-5_000:] + ran.stderr[-2_000:]
    assert "✓ tools-list" in ran.stdout


@pytest.mark.parametrize("era", ERAS)
def test_every_expected_failure_has_its_reason(era: str) -> None:
    _, heading, *lines = (EXPECTED / f"expected_failures_{era}.yaml").read_text().splitlines()
    assert heading == "server:"
    assert [line for line in lines if len(line.partition(" # ")[2]) < 10] == []


def test_the_inspector_lists_and_calls_the_tools(url: str, tmp_path: Path) -> None:
    listed = inspect(url, "--method", "tools/list", folder=tmp_path)
    assert {tool["name"] for tool in listed["tools"]} >= OWN_TOOLS

    content = f"inspected {new_id()}"
    call = ("--method", "tools/call", "--tool-name")
    stored = inspect(url, *call, "store_memory", "--tool-arg", f"content={content}", folder=tmp_path)
    found = inspect(url, *call, "search_memories", "--tool-arg", f"query={content}", folder=tmp_path)
    [best, *_] = found["structuredContent"]["results"]
    assert (best["memory"]["id"], best["memory"]["content"]) == (stored["structuredContent"]["id"], content)


def inspect(url: str, *arguments: str, folder: Path) -> dict[str, Any]:
    """Return what the inspector prints."""
    ran = node(".bin/mcp-inspector", "--cli", url, "--transport", "http", *arguments, folder=folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def node(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # The inspector starts node once more, by its name.
    environment = {**os.environ, "PATH": f"{PACKAGES / '.bin'}:{os.environ['PATH']}"}
    command = [str(PACKAGES / ".bin" / "node"), str(PACKAGES / script), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
