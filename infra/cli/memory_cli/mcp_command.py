"""``memory-server mcp``: the server's tools for clients that start a process."""

from __future__ import annotations

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
    # Bytes, since MCP is UTF-8 whatever the machine's language is.
    Bridge(url, os.environ.get("MEMORY_SERVER_KEY"), sys.stdout.buffer).run(sys.stdin.buffer)
