"""Logs new memories and searches: the smallest plugin that does something."""

from __future__ import annotations

from plugin_kit.context import Context
from plugin_kit.models import Memory, SearchResult

PLUGIN_INFO = {
    "name": "Basic Plugin",
    "version": "1.0.0",
    "description": "Logs new memories and searches",
    "author": "The mcp-memory-server authors",
    "hooks": ["memory_created", "search_performed"],
}


async def memory_created(memory: Memory, context: Context) -> None:
    context["logger"].info("New memory created: %s", memory.id)


async def search_performed(query: str, results: list[SearchResult], context: Context) -> None:
    context["logger"].info("Search performed: %s -> %s results", query, len(results))
