"""Fails at each event."""

from __future__ import annotations

PLUGIN_INFO = {
    "name": "Raises",
    "version": "1.0.0",
    "description": "Fails at each event",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    raise RuntimeError("this hook fails on purpose")
