"""Looks for what is on the machine, and for a way to change it."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

PLUGIN_INFO = {
    "name": "Reads the machine",
    "version": "1.0.0",
    "description": "Looks around on the machine",
    "author": "The tests",
    "hooks": ["memory_created"],
}


async def memory_created(memory, context):
    places = memory.metadata
    attempts = {
        "data": lambda: list(Path(places["data"]).iterdir()),
        "password": lambda: Path(places["data"], "postgres", "admin_password").read_text(),
        "operator": lambda: Path(places["data"], "aws", "operator_secret").read_text(),
        "journal": lambda: Path(places["data"], "aws", "dynamodb.journal").read_text(),
        "repository": lambda: Path(places["repository"], "template.yaml").read_text(),
        "shadow": lambda: Path("/etc/shadow").read_text(),
        "root": lambda: list(Path("/root").iterdir()),
        "parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "memory": lambda: Path(f"/proc/{os.getppid()}/mem").read_bytes(),
        "own code": lambda: Path(os.environ["LAMBDA_TASK_ROOT"], "handler.py").write_text("# mine"),
        "tmp": lambda: Path("/tmp/left-by-a-plugin").write_text("mine"),  # noqa: S108  # on purpose
        "signal": lambda: os.kill(os.getppid(), signal.SIGTERM),
        "api": lambda: socket.create_connection(("127.0.0.1", places["port"]), timeout=5),
    }
    refused = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError as error:
            refused.append(f"{name}: {error.errno}")
        else:
            context["logger"].error("succeeded: %s", name)
            return
    raise PermissionError("; ".join(refused))
