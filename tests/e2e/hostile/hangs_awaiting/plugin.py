"""Waits for what never comes."""

from __future__ import annotations

import asyncio

PLUGIN_INFO = {
    "name": "Hangs",
    "version": "1.0.0",
    "description": "Waits for what never comes",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    await asyncio.sleep(3600)
