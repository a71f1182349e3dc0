"""The API under uvicorn: ``python -m infra.local.api_process HOST PORT``, its environment as JSON on standard input."""

from __future__ import annotations

import importlib
import json
import os
import sys

import uvicorn

from infra.local.owner import leave_with_owner


def main(host: str, port: int) -> None:
    """Serve until SIGTERM, or until the owner is gone."""
    for module in ("memory_api.app", "memory_server.bootstrap", "onnxruntime", "tokenizers"):
        importlib.import_module(module)  # what takes long, while the stack that the environment describes comes up
    environment = sys.stdin.readline()
    leave_with_owner()
    if environment:
        os.environ.update(json.loads(environment))
        uvicorn.run("memory_api.app:from_environment", factory=True, host=host, port=port, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
