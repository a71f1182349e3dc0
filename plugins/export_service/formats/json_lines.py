"""JSON Lines: a JSON value a line."""

from __future__ import annotations

from collections.abc import Iterator

from .faults import FormatError
from .json_text import NotJson, loads
from .syntax import Found, Rest, decoded, joined


class JsonLines:
    """Reads JSON Lines; empty lines are passed over."""

    def __init__(self, rest: Rest | None = None) -> None:
        self.rest = rest or Rest()

    def read(self, piece: bytes, *, last: bool) -> Iterator[Found]:
        data = joined(self.rest, piece)
        line = self.rest.line
        end = len(data) if last else data.rfind(b"\n") + 1
        for raw in data[:end].split(b"\n") if end else ():
            if raw.strip():
                try:
                    yield Found(line, loads(decoded(raw, line)))
                except NotJson as error:
                    raise FormatError(str(error), line=line) from error
            line += 1
        # What follows the last line break was counted as a line, and is none yet.
        self.rest = Rest(line - 1 if end else line, data[end:], memo="begun")
