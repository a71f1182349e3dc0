"""Writes an answer of its own, which never ends, past Python and past its host."""

from __future__ import annotations

import os

PLUGIN_INFO = {
    "name": "Answers past Python",
    "version": "1.0.0",
    "description": "Writes an answer that never ends",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    while True:
        os.write(1, b"{" * 1024 * 1024)
