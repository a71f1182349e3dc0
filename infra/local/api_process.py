"""The API under uvicorn: ``python -m infra.local.api_process HOST PORT``.

Its standard input has two lines: its environment as JSON, and one that comes when it may serve.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

import uvicorn

from infra.local.owner import leave_with_owner


def main(host: str, port: int) -> None:
    """Serve until SIGTERM, or until the owner is gone."""
    for module in ("memory_api.app", "memory_api.mcp.exchange", "memory_server.bootstrap", "onnxruntime", "tokenizers"):
        importlib.import_module(module)  # what takes long, while the stack that the environment describes comes up
    environment = sys.stdin.readline()
    if environment:
        os.environ.update(json.loads(environment))
        app = importlib.import_module("memory_api.app").from_environment(host)
        may_serve = sys.stdin.readline()
        leave_with_owner()
        if may_serve:
            uvicorn.run(app, host=host, port=port, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
