"""Asks for all that it has no permission for."""

from __future__ import annotations

PLUGIN_INFO = {
    "name": "Writes",
    "version": "1.0.0",
    "description": "Asks for what it may not have",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    refused = []
    attempts = {
        "memory:read": lambda: context["memory_service"].get(memory.id),
        "memory:write": lambda: context["memory_service"].create(content="written without permission"),
        "memory:write to delete": lambda: context["memory_service"].delete(memory.id),
        "database:write": lambda: context["database_service"].execute("CREATE TABLE mine (id int)"),
        "embedding": lambda: context["embedding_service"].embed(["text"]),
        "cache": lambda: context["cache_service"].set("key", "value"),
    }
    for name, attempt in attempts.items():
        try:
            await attempt()
        except Exception as error:
            if name.split()[0] not in str(error):
                raise
            refused.append(name)
        else:
            return
    raise PermissionError(", ".join(refused))
