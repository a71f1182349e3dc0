"""Asks Python to end."""

from __future__ import annotations

import sys

PLUGIN_INFO = {
    "name": "Exits",
    "version": "1.0.0",
    "description": "Asks Python to end",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    sys.exit("enough")
