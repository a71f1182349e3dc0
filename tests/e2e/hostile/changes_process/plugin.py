"""Leaves its process in ruins: its host still has to tell what became of the event."""

from __future__ import annotations

import os
import sys

PLUGIN_INFO = {
    "name": "Changes its process",
    "version": "1.0.0",
    "description": "Leaves its process in ruins",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    os.environ.clear()
    os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
    sys.path.clear()
    sys.modules.clear()
    os.chdir("/proc/self")
    sys.stdout.close()
    raise RuntimeError("the process is in ruins")
