"""Writes what no log can hold: through Python, and past it."""

from __future__ import annotations

import os

PLUGIN_INFO = {
    "name": "Floods",
    "version": "1.0.0",
    "description": "Writes what no log can hold",
    "author": "The tests",
    "hooks": ["memory_created"],
}

MEGABYTE = 1024 * 1024


async def memory_created(memory, context):
    for _ in range(100):
        print("p" * MEGABYTE)
        context["logger"].info("l" * MEGABYTE)
    for _ in range(200):
        os.write(2, b"e" * MEGABYTE)
    raise RuntimeError("all is written")
