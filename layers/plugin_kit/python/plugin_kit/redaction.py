"""Takes out of texts what no operator, log or record may show: the function's credentials, the plugin's secrets."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable
from typing import IO, Final

_CREDENTIALS: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_REMOVED: Final = "[removed]"
_SHORTEST: Final = 4  # a shorter secret would take parts out of many a word


class Redaction:
    """Knows the values that must not be shown."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def hide(self, values: Iterable[str]) -> None:
        """Take ``values`` out of every text from now on, as they are and as JSON writes them."""
        for value in values:
            if len(value) >= _SHORTEST:
                self._values |= {value, json.dumps(value)[1:-1]}

    def __call__(self, text: str) -> str:
        """Return ``text`` without them."""
        for value in (*self._values, *(os.environ.get(name) for name in _CREDENTIALS)):
            if value and value in text:
                text = text.replace(value, _REMOVED)
        return text


class RedactedStream(io.TextIOBase):
    """Writes to ``stream`` what ``redact`` leaves."""

    def __init__(self, stream: IO[str], redact: Redaction) -> None:
        self._stream = stream
        self._redact = redact

    def write(self, text: str, /) -> int:
        self._stream.write(self._redact(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()
