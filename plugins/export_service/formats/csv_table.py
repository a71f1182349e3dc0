"""CSV (RFC 4180): a header, then a memory a row. Tags, metadata and embeddings are JSON in their cells.

A spreadsheet takes a cell that begins with one of = + - @, a tab or a line break for a formula or drops it, also behind
apostrophes. Such a cell gets one apostrophe more in front, which the way back takes off again; no other cell changes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, cast

from msgspec import Raw

from plugin_kit.json_types import JsonObject, JsonValue

from .faults import FormatError
from .json_text import NotJson, loads
from .lines import EmbeddedLine, Line, json_of, text_of
from .record import CLEARED_BY_NULL, FIELDS
from .syntax import BYTE_ORDER_MARK, Found, Rest, decoded, joined

# The wide forms are those that spreadsheets of East Asian languages take for the narrow ones.
_STARTS: Final = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_SUSPECT: Final = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_HARMFUL: Final = re.compile(f"'*[{_STARTS}]")
_MADE_HARMLESS: Final = re.compile(f"'+[{_STARTS}]")
_AS_JSON: Final = frozenset({"tags", "importance", "metadata", "version", "deduplicate", "embedding"})


def header(*, embeddings: bool) -> bytes:
    """Return the first row; the byte order mark in front tells spreadsheets that the text is UTF-8."""
    names = (EmbeddedLine if embeddings else Line).__struct_fields__
    return BYTE_ORDER_MARK + f"{','.join(names)}\r\n".encode()


def rows(lines: Iterable[Line]) -> bytes:
    """Return a row for each of ``lines``."""
    out = io.BytesIO()
    # As UTF-8 from the start: a text of a whole chunk could take four times its bytes.
    with io.TextIOWrapper(out, "utf-8", newline="") as text:
        csv.writer(text, lineterminator="\r\n").writerows(map(_cells, lines))
        text.flush()
        return out.getvalue()


class CsvRows:
    """Reads rows as records; an empty cell is a field that has nothing, or is not there."""

    def __init__(self, rest: Rest | None = None) -> None:
        self.rest = rest or Rest()

    def read(self, piece: bytes, *, last: bool) -> Iterator[Found]:
        data = joined(self.rest, piece)
        line, names = self.rest.line, cast("list[str] | None", self.rest.memo)
        end = len(data) if last else _end_of_rows(data)
        text = decoded(data[:end], line)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        begins = line
        try:
            for cells in reader:
                if names is None:
                    names = _names(cells)
                elif cells:
                    yield Found(begins, _record(names, cells, begins))
                begins = line + reader.line_num
        except csv.Error as error:
            raise FormatError(f"is not CSV: {error}", line=begins) from error
        if last and names is None:
            raise FormatError("is empty: the first row of CSV names the columns", line=1)
        self.rest = Rest(begins, data[end:], memo=names)


def _end_of_rows(data: bytes) -> int:
    """Return where the last row ends that is whole: behind the last line break that is not in quotes."""
    at, quotes = len(data), data.count(b'"')
    while (found := data.rfind(b"\n", 0, at)) >= 0:
        quotes -= data.count(b'"', found, at)
        if quotes % 2 == 0:
            return found + 1
        at = found
    return 0


def _names(cells: Sequence[str]) -> list[str]:
    for number, name in enumerate(cells, start=1):
        if name not in FIELDS:
            raise FormatError(
                f"column {number} has the name {name!r}: name one of {', '.join(FIELDS)}", line=1, field=name
            )
        if name in cells[: number - 1]:
            raise FormatError(f"column {number} has the name of another: name each once", line=1, field=name)
    if "content" not in cells:
        raise FormatError("has no such column", line=1, field="content")
    return list(cells)


def _record(names: Sequence[str], cells: Sequence[str], line: int) -> JsonObject:
    if len(cells) != len(names):
        raise FormatError(f"has {len(cells)} cells: the header has {len(names)}", line=line)
    return {
        name: _value(name, cell, line) if cell else None
        for name, cell in zip(names, cells, strict=True)
        if cell or name in CLEARED_BY_NULL
    }


def _value(name: str, cell: str, line: int) -> JsonValue:
    text = cell[1:] if _MADE_HARMLESS.match(cell) else cell
    if name not in _AS_JSON:
        return text
    try:
        return loads(text)
    except NotJson as error:
        raise FormatError(str(error), line=line, field=name) from error


def _cells(line: Line) -> tuple[str | None, ...]:
    """Return the cells of a memory. What the server alone makes, or what is JSON, begins with nothing harmful."""
    cells = (
        text_of(line.id),
        _harmless(line.content),
        text_of(line.memory_type),
        _harmless(line.project),
        _harmless(line.session_id),
        json_of(line.tags),
        json_of(line.importance),
        json_of(line.metadata),
        _harmless(line.user_id),
        json_of(line.version),
        text_of(line.created_at),
        text_of(line.updated_at),
        text_of(line.expires_at),
        json_of(line.deduplicate),
    )
    if isinstance(line, EmbeddedLine):
        return (*cells, _harmless(line.embedding_model), json_of(line.embedding))
    return cells


def _harmless(field: Raw) -> str | None:
    text = text_of(field)
    return f"'{text}" if text and text[0] in _SUSPECT and _HARMFUL.match(text) else text
