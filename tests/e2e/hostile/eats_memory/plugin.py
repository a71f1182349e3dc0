"""Takes all the memory that there is."""

from __future__ import annotations

PLUGIN_INFO = {
    "name": "Eats memory",
    "version": "1.0.0",
    "description": "Takes all memory",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    eaten = []
    while True:
        eaten.append(bytearray(16 * 1024 * 1024))
