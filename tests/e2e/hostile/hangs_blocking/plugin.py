"""Blocks its process, and goes on blocking it when it is interrupted."""

from __future__ import annotations

import time

PLUGIN_INFO = {
    "name": "Blocks",
    "version": "1.0.0",
    "description": "Blocks its process",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    while True:
        try:
            time.sleep(3600)  # noqa: ASYNC251  # on purpose
        except BaseException:  # noqa: BLE001, S112  # on purpose
            continue
