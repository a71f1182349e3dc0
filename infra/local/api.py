"""The API's process on one machine: uvicorn, which imports the server while the stack still comes up."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from infra.local.child import Child
from infra.local.errors import CannotRun
from infra.local.probe import HOST, get

_START_SECONDS: Final = 60
_REPOSITORY: Final = Path(__file__).parents[2]


class Api:
    """The API on 127.0.0.1 and ``port``, with its log in ``log_file``."""

    def __init__(self, port: int, log_file: Path) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self.child = Child(
            "the API",
            [sys.executable, "-m", "infra.local.api_process", HOST, str(port)],
            environment={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
            folder=_REPOSITORY,
            log_file=log_file,
        )

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Give the process the variables that it waits for."""
        self.child.tell(json.dumps(environment))

    def serve(self) -> None:
        """Let the process take requests, and return when it is ready.

        Raises:
            CannotRun: it ends, or a part that it needs does not answer.
        """
        self.child.tell("")
        until = time.monotonic() + _START_SECONDS
        answer = None
        while time.monotonic() < until and self.child.exit_code is None:
            answer = get(self.port, "/health/ready")
            if answer is not None and answer[0] == HTTPStatus.OK:
                return
            time.sleep(0.05)
        raise CannotRun(
            f"the API does not get ready; GET /health/ready answered {answer}. "
            f"The end of {self.child.log_file}:\n{self.child.log_tail()}"
        )
