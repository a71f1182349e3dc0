"""The server's tools and resources for agents, over MCP. Only ``exchange`` imports the SDK, which is slow to import."""

from __future__ import annotations
