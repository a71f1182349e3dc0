"""Keeps what it hears of wherever a plugin can, and fails with it where it is told to."""

from __future__ import annotations

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory

PLUGIN_INFO = {
    "name": "Keeper",
    "version": "1.0.0",
    "description": "Keeps everything",
    "author": "The tests",
    "hooks": ["memory_created"],
    "permissions": ["database:write", "files", "cache"],
    "tasks": ["much_later"],
}


async def initialize(context: Context) -> None:
    await context["database_service"].execute(
        "CREATE TABLE IF NOT EXISTS kept (user_id text NOT NULL, id text NOT NULL, content text NOT NULL)"
    )


async def memory_created(memory: Memory, context: Context) -> None:
    if "fail" in memory.tags:
        raise RuntimeError(f"cannot keep {memory.content}")
    database = context["database_service"]
    await database.execute("INSERT INTO kept VALUES (%s, %s, %s)", [memory.user_id, memory.id, memory.content])
    await database.files.write(f"kept/{memory.id}", memory.content.encode())
    await database.files.write(f"transfers/{memory.id}", memory.content.encode())
    await context["cache_service"].set(memory.id, memory.content[:1000], 3600)
    await context["memory_service"].later("much_later", {"content": memory.content[:1000]}, delay_seconds=900)


async def much_later(arguments: JsonObject, context: Context) -> None:
    await context["database_service"].files.write("late", str(arguments["content"]).encode())
