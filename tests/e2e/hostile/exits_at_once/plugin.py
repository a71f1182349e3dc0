"""Ends its process without a word."""

from __future__ import annotations

import os

PLUGIN_INFO = {
    "name": "Exits at once",
    "version": "1.0.0",
    "description": "Ends its process",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    os._exit(0)
