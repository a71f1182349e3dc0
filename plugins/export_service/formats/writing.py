"""The formats of exports: how each makes a chunk of its file from lines of memories as the server gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import astuple

from . import csv_table, markdown, zip_archive
from .lines import EmbeddedLine, lines_of, text_of

_MEMBERS: Final = ",".join(f'"{name}":%b' for name in EmbeddedLine.__struct_fields__)
_EMBEDDED_LINE: Final = f"{{{_MEMBERS}}}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a chunk stands in its file, and whether the memories have embeddings."""

    first: bool
    last: bool
    embeddings: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """A format of exports. ``chunk`` takes JSON Lines, of which there may be none; the chunks in order are the file.

    The chunks of an archive are archives, which have to be joined. ``is_lines`` where a chunk without embeddings is
    what it is made of. A part of the server's is written in so many ``slices`` that making one takes about a second and
    50 MiB, and most are large enough for the storage to copy them.
    """

    suffix: str
    chunk: Callable[[bytes, Place], bytes]
    is_archive: bool = False
    is_lines: bool = False
    slices: int = 1


def _json_lines(lines: bytes, place: Place) -> bytes:
    if not place.embeddings:
        return lines
    return b"".join([_EMBEDDED_LINE % astuple(line) for line in lines_of(lines, with_embeddings=True)])


def _json_document(lines: bytes, place: Place) -> bytes:
    """Return the memories with commas between them. A line of JSON has no line break but at its end."""
    begin = b'{"format":"mcp-memory-server/1","memories":[\n' if place.first else b",\n" if lines else b""
    end = b"\n]}\n" if place.last else b""
    return begin + _json_lines(lines, place).removesuffix(b"\n").replace(b"\n", b",\n") + end


def _csv(lines: bytes, place: Place) -> bytes:
    head = csv_table.header(embeddings=place.embeddings) if place.first else b""
    return head + csv_table.rows(lines_of(lines, with_embeddings=place.embeddings))


def _markdown(lines: bytes, place: Place) -> bytes:
    return zip_archive.pack(
        (markdown.path(line), datetime.fromisoformat(text_of(line.updated_at) or ""), markdown.document(line))
        for line in lines_of(lines, with_embeddings=place.embeddings)
    )


EXPORT_FORMATS: Final[Mapping[str, ExportFormat]] = {
    "json": ExportFormat(suffix=".json", chunk=_json_document, slices=2),
    "jsonl": ExportFormat(suffix=".jsonl", chunk=_json_lines, is_lines=True, slices=2),
    "csv": ExportFormat(suffix=".csv", chunk=_csv),
    "markdown": ExportFormat(suffix=".zip", chunk=_markdown, is_archive=True, slices=2),
}
