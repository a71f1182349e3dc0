"""How the records of a file are told apart, whatever they mean.

A file comes in pieces that are cut anywhere. A syntax takes them one after the other, yields each record that is
complete, and keeps the rest; its state can be put away between two pieces and taken up in another process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from plugin_kit.json_types import JsonValue

from .faults import FormatError

MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and where it is: the line on which it begins, or the file of an archive."""

    line: int | None
    value: JsonValue
    file: str | None = None


@dataclass(slots=True)
class Rest:
    """Where a syntax stands: the next line, the bytes that are no whole record yet, and what it must remember."""

    line: int = 1
    tail: bytes = b""
    memo: JsonValue = None


class Syntax(Protocol):
    """Reads records from pieces of a file."""

    @property
    def rest(self) -> Rest:
        """What is to be kept until the next piece comes."""
        ...

    def read(self, piece: bytes, *, last: bool) -> Iterator[Found]:
        """Yield the records that are complete with ``piece``. ``rest`` holds when all were taken.

        Raises:
            FormatError: the file is not of this syntax.
        """
        ...


def joined(rest: Rest, piece: bytes) -> bytes:
    """Return what is to be read now: what was left over, and ``piece``.

    Raises:
        FormatError: there is no end to one record.
    """
    if len(rest.tail) > MAX_RECORD_BYTES:
        megabytes = MAX_RECORD_BYTES // 1024**2
        raise FormatError(f"one value has more than {megabytes} MiB: is it the right format?", line=rest.line)
    data = rest.tail + piece
    return data.removeprefix(BYTE_ORDER_MARK) if rest.line == 1 and rest.memo is None else data


def decoded(data: bytes, line: int) -> str:
    """Return the text of ``data``, which begins on ``line``.

    Raises:
        FormatError: the data is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        there = line + data.count(b"\n", 0, error.start)
        raise FormatError(f"is not UTF-8: it has the byte {data[error.start]:#04x}", line=there) from error
