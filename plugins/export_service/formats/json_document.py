"""One JSON document whose records stand in one list: the document itself, or the value of a key of it."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, cast

from plugin_kit.json_types import JsonValue

from .faults import FormatError
from .json_text import DECODER, NotJson
from .syntax import Found, Rest, joined

_SPACE: Final = re.compile(r"[ \t\n\r]*")
# An error so near to the end of a piece may be one of the cut alone: a literal, a number or an escape that goes on.
_LONGEST_TOKEN: Final = 12


class _NeedsMore(Exception):  # it is no error, but the end of a piece
    """The text ends before the next token can be read for sure."""


class JsonDocument:
    """Reads the elements of the list under the first of ``keys`` that holds one; other keys are passed over."""

    def __init__(self, keys: Sequence[str], rest: Rest | None = None) -> None:
        self._keys = keys
        self.rest = rest or Rest()
        self._text = ""
        self._at = 0
        self._last = False

    def read(self, piece: bytes, *, last: bool) -> Iterator[Found]:
        data = joined(self.rest, piece)
        leftover = self._decode(data, last=last)
        state, line, done = str(self.rest.memo or "start"), self.rest.line, 0
        try:
            while state != "end" or self._text[self._at :].strip():
                state, found = self._step(state)
                begins = line + self._text.count("\n", done, _start(self._text, done))
                line, done = line + self._text.count("\n", done, self._at), self._at
                if found is not None:
                    yield Found(begins, found[0])
        except _NeedsMore:
            if last:
                raise FormatError("the file ends before its JSON does: it is cut off", line=line) from None
        except json.JSONDecodeError as error:
            there = line + self._text.count("\n", done, error.pos)
            raise FormatError(f"is not JSON: {error.msg}", line=there) from error
        except NotJson as error:
            raise FormatError(str(error), line=line) from error
        except (RecursionError, ValueError) as error:
            raise FormatError(f"is JSON that cannot be read: {error}", line=line) from error
        self.rest = Rest(line, self._text[done:].encode() + leftover, memo=state)

    def _decode(self, data: bytes, *, last: bool) -> bytes:
        """Take the text of ``data``, and return the bytes of a character that goes on in the next piece."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            self._text, self._at, self._last = decoder.decode(data, final=last), 0, last
        except UnicodeDecodeError as error:
            line = self.rest.line + data.count(b"\n", 0, error.start)
            raise FormatError(f"is not UTF-8: it has the byte {data[error.start]:#04x}", line=line) from error
        return decoder.getstate()[0]

    def _step(self, state: str) -> tuple[str, tuple[JsonValue] | None]:
        """Read one step of the document's frame, or one element, and return the next state and the element.

        A state with "late" in it is one behind the list, where what the document has is of no more interest.
        """
        match state:
            case "start":
                return ("first item" if self._take("{[") == "[" else "first key"), None
            case "first item" | "first element" if self._peek() == "]":
                return self._after_list(state), None
            case "first item" | "item" | "first element" | "element":
                return f"after {state.removeprefix('first ')}", (self._value(),)
            case "after item" | "after element" if self._peek() == ",":
                self._take(",")
                return state.removeprefix("after "), None
            case "after item" | "after element":
                return self._after_list(state), None
            case "end":
                raise json.JSONDecodeError("something follows the end of the document", self._text, self._at)
            case _:
                return self._object_step(state), None

    def _object_step(self, state: str) -> str:
        late = "late " if "late" in state else ""
        if state == "first key" and self._peek() == "}":
            state = "after value"
        if state.endswith("key"):
            return "first element" if self._enters_list(late=bool(late)) else f"after {late}value"
        if self._take(",}") == ",":
            return f"{late}key"
        if not late:
            raise NotJson(f"has no list of memories: it should stand under {' or '.join(self._keys)}")
        return "end"

    def _enters_list(self, *, late: bool) -> bool:
        """Pass over a key and its value, or stop inside of the value where it is the list."""
        self._peek()
        start = self._at
        key = self._value()
        if not isinstance(key, str):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self._text, start)
        self._take(":")
        if key in self._keys and not late and self._peek() == "[":
            self._at += 1
            return True
        self._value()
        return False

    def _after_list(self, state: str) -> str:
        self._take("]")
        return "end" if state.endswith("item") else "after late value"

    def _peek(self) -> str:
        self._at = _start(self._text, self._at)
        if self._at >= len(self._text):
            raise _NeedsMore
        return self._text[self._at]

    def _take(self, expected: str) -> str:
        character = self._peek()
        if character not in expected:
            wanted = " or ".join(f"'{one}'" for one in expected)
            raise json.JSONDecodeError(f"Expecting {wanted}", self._text, self._at)
        self._at += 1
        return character

    def _value(self) -> JsonValue:
        """Return the value that stands here; what follows it must be there, for it may go on in the next piece."""
        self._peek()
        try:
            value, self._at = cast("tuple[JsonValue, int]", DECODER.raw_decode(self._text, self._at))
        except json.JSONDecodeError as error:
            open_end = error.msg.startswith("Unterminated string")
            near = 0 if self._last else _LONGEST_TOKEN
            if open_end or error.pos >= len(self._text) - near:
                raise _NeedsMore from error
            raise
        self._peek()
        return value


def _start(text: str, at: int) -> int:
    """Return where in ``text`` the next token begins, from ``at`` on."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
