"""Looks for the server's database and for a password to it."""

from __future__ import annotations

import os

import pg8000.dbapi

PLUGIN_INFO = {
    "name": "Opens the database",
    "version": "1.0.0",
    "description": "Looks for the database",
    "author": "The tests",
    "hooks": ["memory_created"],
}

ROLES = ["postgres", "memory_app", "plugin_memory_analytics"]


async def memory_created(memory, context):
    refused = set()
    for role in ROLES:
        for password in ("", role, os.environ["AWS_SECRET_ACCESS_KEY"]):
            try:
                pg8000.dbapi.connect(
                    role,
                    host="127.0.0.1",
                    port=memory.metadata["port"],
                    database="memory",
                    password=password,
                    timeout=5,
                )
            except Exception as error:  # noqa: BLE001  # whatever it is, it is told
                refused.add(
                    f"{type(error).__name__} {error.args[0].get('C') if isinstance(error.args[0], dict) else ''}"
                )
            else:
                return
    raise PermissionError("; ".join(sorted(refused)))
