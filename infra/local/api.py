"""The API's process on one machine: uvicorn, which imports the server while the stack still comes up."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from infra.local.child import Child
from infra.local.errors import CannotRun
from infra.local.probe import HOST, get

_START_SECONDS: Final = 60
_REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where the API answers, and whether only to those who sign in. Without, it answers this machine alone."""

    port: int
    host: str = HOST
    sign_in: bool = False

    def __post_init__(self) -> None:
        if not self.sign_in and self.host != HOST:
            raise CannotRun(
                f"without sign-in everyone who reaches {self.host} would have every memory: "
                f"start it as `make run HOST={self.host} SIGN_IN=required`"
            )

    @property
    def local_host(self) -> str:
        """The address at which this machine reaches it."""
        return HOST if self.host == "0.0.0.0" else self.host  # noqa: S104  # compared, not bound

    @property
    def url(self) -> str:
        """The URL at which this machine reaches it."""
        return f"http://{self.local_host}:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What the API's process is told of it."""
        return {"SIGN_IN": "required" if self.sign_in else "off"}


class Api:
    """The API at ``door``, with its log in ``log_file``."""

    def __init__(self, door: Door, log_file: Path) -> None:
        self._door = door
        self.child = Child(
            "the API",
            [sys.executable, "-m", "infra.local.api_process", door.host, str(door.port)],
            environment={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
            folder=_REPOSITORY,
            log_file=log_file,
        )

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Give the process the variables that it waits for."""
        self.child.tell(json.dumps({**environment, **self._door.environment}))

    def serve(self) -> None:
        """Let the process take requests, and return when it is ready.

        Raises:
            CannotRun: it ends, or a part that it needs does not answer.
        """
        self.child.tell("")
        until = time.monotonic() + _START_SECONDS
        answer = None
        while time.monotonic() < until and self.child.exit_code is None:
            answer = get(self._door.port, "/health/ready", self._door.local_host)
            if answer is not None and answer[0] == HTTPStatus.OK:
                return
            time.sleep(0.05)
        raise CannotRun(
            f"the API does not get ready; GET /health/ready answered {answer}. "
            f"The end of {self.child.log_file}:\n{self.child.log_tail()}"
        )
