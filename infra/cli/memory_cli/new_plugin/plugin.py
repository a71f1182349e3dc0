"""Logs each new memory."""

from __future__ import annotations

from plugin_kit.context import Context
from plugin_kit.models import Memory

PLUGIN_INFO = {
    "name": "New Plugin",
    "version": "0.1.0",
    "description": "Logs each new memory",
    "author": "Your Name",
    "hooks": ["memory_created"],
}


async def memory_created(memory: Memory, context: Context) -> None:
    context["logger"].info("New memory created: %s", memory.id)
