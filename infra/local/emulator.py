"""AWS on one machine: ministack in an environment of its own, which is all that a plugin's process inherits."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from infra.local.aws import REGION, Aws
from infra.local.child import Child
from infra.local.errors import CannotRun
from infra.local.probe import HOST, get

_START_SECONDS: Final = 30
_REPOSITORY: Final = Path(__file__).parents[2]
_PYTHON: Final = _REPOSITORY / ".venv-aws" / "bin" / "python"


class Emulator:
    """ministack over ``folder``, on 127.0.0.1 and a free port, with its log in ``log_file``.

    ``folder`` keeps the objects of S3 and the items of DynamoDB, whatever ends the process; queues, functions and
    stacks are gone with it.
    """

    def __init__(self, folder: Path, log_file: Path, *, closed_port: int = 0) -> None:
        """``closed_port`` is one that no plugin may connect to."""
        self.folder = folder
        self._closed_port = closed_port
        self.log_file = log_file
        self.port = 0

    @cached_property
    def aws(self) -> Aws:
        """Its clients, once it was started."""
        return Aws(f"http://{HOST}:{self.port}", operator_secret(self.folder))

    def start(self) -> None:
        """Start the process; it answers after ``wait``.

        Raises:
            CannotRun: it is not installed.
        """
        if not _PYTHON.exists():
            raise CannotRun(f"{_PYTHON} is not there: `make run` installs it")
        scratch = self.folder / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)  # the unpacked functions of a process that was killed
        scratch.mkdir(parents=True)
        self.port = _free_port()
        journal = str(self.folder / "dynamodb.journal")
        self.child = Child(
            "the AWS emulator",
            [str(_PYTHON), "-m", "infra.local.aws_process", str(self.port), journal, str(self._closed_port)],
            environment=self._environment(scratch),
            folder=_REPOSITORY,
            log_file=self.log_file,
        )
        self.child.tell(operator_secret(self.folder))

    def wait(self) -> None:
        """Return when the emulator answers.

        Raises:
            CannotRun: it does not.
        """
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self.child.exit_code is None:
            if get(self.port, "/_ministack/health") is not None:
                return
            time.sleep(0.02)
        raise CannotRun(f"the AWS emulator does not start. The end of {self.log_file}:\n{self.child.log_tail()}")

    def stop(self) -> None:
        """End the emulator and the functions that it runs."""
        self.child.stop(grace_seconds=1)  # what it must keep is on disk already
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    def _environment(self, scratch: Path) -> dict[str, str]:
        """All that a function's process will see, its own variables apart: nothing of the server's, no secret."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "PYTHONUNBUFFERED": "1",
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "DOCKER_HOST": "unix:///nonexistent",  # or it would look for containers that it might have left
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }


def operator_secret(folder: Path) -> str:
    """Return the secret key of the operator of the emulator over ``folder``: the first call makes it."""
    file = folder / "operator_secret"
    with suppress(FileExistsError), os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as new:
        new.write(secrets.token_hex(32))
    return file.read_text()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return server.getsockname()[1]
