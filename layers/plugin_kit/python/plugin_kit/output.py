"""What plugin code writes to its logger, stdout and stderr: cut where it floods, kept where that is asked for."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Final

from plugin_kit.redaction import Redaction

LIMIT: Final = 256 * 1024  # characters an invocation
MAX_KEPT_LINES: Final = 100
MAX_KEPT: Final = 10 * 1024
_TRACEBACK: Final = 2048  # what a traceback is taken to add to a line


class Output:
    """The output of one plugin. ``host_logger`` has the handlers that write what the plugin's ``logger`` is given."""

    def __init__(self, host_logger: logging.Logger, redact: Redaction) -> None:
        self._host_logger = host_logger
        self.redact = redact
        self._left = LIMIT
        self._cut = False
        self._kept: list[str] | None = None
        self.logger = host_logger.getChild("plugin")
        self.logger.propagate = False
        self.logger.handlers = [_Forward(self, host_logger)]
        self.logger.setLevel(logging.INFO)

    def begin(self) -> None:
        """Begin an invocation: the plugin may write LIMIT again."""
        self._left = LIMIT
        self._cut = False

    @contextmanager
    def taken(self) -> Generator[None]:
        """Take what is printed or logged by other loggers than the plugin's own, for as long as this lasts."""
        streams = sys.stdout, sys.stderr
        handlers = [handler for handler in logging.root.handlers if handler not in self._host_logger.handlers]
        allowed = _Allowed(self)
        for handler in handlers:
            handler.addFilter(allowed)
        taken = [_Taken(self, stream) for stream in streams]
        sys.stdout, sys.stderr = taken
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams
            for stream in taken:
                stream.end_line()
            for handler in handlers:
                handler.removeFilter(allowed)

    @contextmanager
    def kept(self) -> Generator[list[str]]:
        """Give the list that gets the lines written while this lasts, up to MAX_KEPT_LINES and MAX_KEPT characters."""
        self._kept = []
        try:
            yield self._kept
        finally:
            self._kept = None

    def take(self, size: int) -> int:
        """Return how much of ``size`` characters may still be written, and say so once where that is not all."""
        taken = min(size, self._left)
        if taken < size and not self._cut:
            self._cut = True
            self._host_logger.warning("the plugin wrote more than %s KB at once: the rest is cut", LIMIT // 1024)
        self._left -= taken
        return taken

    def keep(self, line: str) -> None:
        """Keep ``line`` where lines are kept and there is room."""
        if self._kept is not None and line and len(self._kept) < MAX_KEPT_LINES:
            room = MAX_KEPT - sum(map(len, self._kept))
            self._kept += [self.redact(line)[:room]] if room > 0 else []


class _Taken(io.TextIOBase):
    """Stands for ``stream`` while plugin code runs."""

    def __init__(self, output: Output, stream: IO[str]) -> None:
        self._output = output
        self._stream = stream
        self._line = ""

    def write(self, text: str, /) -> int:
        self._stream.write(self._output.redact(text[: self._output.take(len(text))]))
        *lines, rest = text[:MAX_KEPT].split("\n")
        for line in lines:
            self._output.keep(self._line + line)
            self._line = ""
        self._line = (self._line + rest)[:MAX_KEPT]
        return len(text)

    def end_line(self) -> None:
        """Keep what was written after the last line's end."""
        self._output.keep(self._line)
        self._line = ""

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


class _Forward(logging.Handler):
    """Hands what the plugin's logger is given to the handlers of the host's, while it is allowed."""

    def __init__(self, output: Output, host_logger: logging.Logger) -> None:
        super().__init__()
        self._output = output
        self._host_logger = host_logger

    def emit(self, record: logging.LogRecord) -> None:
        self._output.keep(f"{record.levelname} {_message(record)}")
        if _is_allowed(self._output, record):
            for handler in self._host_logger.handlers:
                handler.handle(record)


class _Allowed(logging.Filter):
    """Lets through what is allowed of the records that go to the root's handlers."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def filter(self, record: logging.LogRecord) -> bool:
        return _is_allowed(self._output, record)


def _is_allowed(output: Output, record: logging.LogRecord) -> bool:
    size = len(_message(record)) + (_TRACEBACK if record.exc_info else 0)
    return output.take(size) == size


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit the text: logging says so where it is written
        return str(record.msg)
