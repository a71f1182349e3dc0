"""``memory-server mcp``: the server's tools for clients that start a process."""

from __future__ import annotations

import io
import os
import sys

import click

from memory_cli.mcp_bridge import Bridge


@click.command(epilog="Example: MEMORY_SERVER_URL=https://memory.example.com memory-server mcp")
@click.option(
    "--url",
    envvar="MEMORY_SERVER_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    show_envvar=True,
    help="Where the server answers.",
)
def mcp(url: str) -> None:
    """Speak MCP on standard input and output, for a client that starts a process; a server elsewhere answers.

    The environment variable MEMORY_SERVER_KEY is the API key that the server is asked with, where it wants one.
    """
    # MCP is UTF-8, whatever the machine's language is. A line that is not is one that is not JSON.
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    output = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")
    Bridge(url, os.environ.get("MEMORY_SERVER_KEY"), output).run(lines)
