"""A process of the stack: in a group of its own, with a log file, and gone when it is stopped or its owner dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Child:
    """One started process. Its standard input stays open as long as the owner lives: see ``owner.leave_with_owner``."""

    def __init__(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log_file: Path
    ) -> None:
        """Start ``command`` in ``folder``; the log of the start before stays beside the new one."""
        self.name = name
        self.log_file = log_file
        self._stopped = False
        if log_file.exists():
            log_file.replace(log_file.with_suffix(".log.1"))
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=log, stderr=log,
                process_group=0,  # Ctrl-C at the terminal is for the owner, which stops things in order
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The id of the process, and of its group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code once the process has ended, negative for a signal."""
        return self._process.poll()

    def tell(self, line: str) -> None:
        """Write ``line`` to the process's standard input."""
        assert self._process.stdin is not None  # noqa: S101  # it was opened as a pipe
        with contextlib.suppress(BrokenPipeError):  # that it has ended is for the supervisor to find
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def stop(self, *, grace_seconds: float = 10) -> None:
        """End the process, politely at first, and whatever is left of its group; return when it is gone."""
        if self._stopped:
            return  # its id may be another's by now
        self._stopped = True
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_seconds)
        self._signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin is not None  # noqa: S101  # it was opened as a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def log_tail(self, lines: int = 15) -> str:
        """Return the last ``lines`` of the log."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
