"""The Markdown files of an archive, unpacked: a line of JSON has the name and the text of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from . import zip_archive
from .faults import FormatError
from .json_lines import JsonLines
from .json_text import dumps
from .markdown import record_of
from .syntax import Found, Rest

_MAX_FILE_BYTES: Final = 1024 * 1024


class MarkdownFiles:
    """Reads the memory of each file."""

    def __init__(self, rest: Rest | None = None) -> None:
        self._lines = JsonLines(rest)

    @property
    def rest(self) -> Rest:
        return self._lines.rest

    def read(self, piece: bytes, *, last: bool) -> Iterator[Found]:
        for found in self._lines.read(piece, last=last):
            name, text = (str(part) for part in cast("list[str]", found.value))
            yield Found(None, record_of(text, name), file=name)


def unpacked(archive: BinaryIO, *, size: int, limit: int) -> Iterator[bytes]:
    """Yield the Markdown files of ``archive`` as ``MarkdownFiles`` reads them, in pieces of about ``size`` bytes.

    Raises:
        FormatError: it is no archive that can be read, or has more than ``limit`` bytes of Markdown.
    """
    lines: list[bytes] = []
    pending, total = 0, 0
    for file in zip_archive.texts(archive, suffix=".md", limit=_MAX_FILE_BYTES):
        lines.append(dumps(file).encode() + b"\n")
        pending += len(lines[-1])
        total += len(lines[-1])
        if total > limit:
            raise FormatError(f"has more than {limit // 1024**2:,} MiB: send it in several files")
        if pending >= size:
            yield b"".join(lines)
            lines, pending = [], 0
    if lines:
        yield b"".join(lines)
