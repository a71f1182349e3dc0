"""What a plugin's process writes, before ministack takes it into its memory: no more than Lambda would take.

This runs inside the emulator's process, so it uses the standard library alone.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import IO, Final

_MAX_ANSWER: Final = 8 * 1024 * 1024  # Lambda's limit is 6 MB, without what ministack wraps around it
_MAX_LINE: Final = 64 * 1024
_LOG_PER_SECOND: Final = 256 * 1024
_LOG_AT_ONCE: Final = 4 * _LOG_PER_SECOND


def bound(process: subprocess.Popen[str]) -> None:
    """Put streams that end, or leave out, what is too much in the place of those of ``process``."""
    assert process.stdout is not None  # noqa: S101  # ministack makes pipes
    assert process.stderr is not None  # noqa: S101
    vars(process).update(stdout=_Answers(process, process.stdout), stderr=_Log(process.stderr))


class _Answers:
    """The answers of a process, a line each; one that is too long ends the process."""

    def __init__(self, process: subprocess.Popen[str], stream: IO[str]) -> None:
        self._process = process
        self._stream = stream

    def readline(self) -> str:
        line = self._stream.readline(_MAX_ANSWER)
        if len(line) == _MAX_ANSWER:
            self._process.kill()
            return ""  # as if it had ended by itself
        return line


class _Log:
    """The log of a process, of which so much a second is read and the rest thrown away."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._left = float(_LOG_AT_ONCE)
        self._at = time.monotonic()

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(_MAX_LINE):
            now = time.monotonic()
            self._left = min(_LOG_AT_ONCE, self._left + (now - self._at) * _LOG_PER_SECOND)
            self._at = now
            if len(line) <= self._left:
                self._left -= len(line)
                yield line

    def read(self, size: int) -> str:
        return self._stream.read(size)
