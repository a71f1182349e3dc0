"""The formats of imports: what the records of each are, and the lines that load them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

from plugin_kit.json_types import JsonObject, JsonValue

from . import foreign, graph, markdown_files
from .compression import compression_of, pieces
from .csv_table import CsvRows
from .faults import FieldFault, FormatError
from .json_document import JsonDocument
from .json_lines import JsonLines
from .json_text import dumps
from .markdown_files import MarkdownFiles
from .record import memory_line
from .syntax import Rest, Syntax


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFormat:
    """A format of imports: the syntax of its records, and the memories that a record holds."""

    syntax: Callable[[Rest | None], Syntax]
    memories: Callable[[JsonValue], Iterable[JsonObject]]
    is_archive: bool = False


class Line(NamedTuple):
    """A memory as the server loads it, and where in the user's file it is: a line, or the name of an archive's file."""

    data: bytes
    place: int | str | None


def lines(form: ImportFormat, syntax: Syntax, piece: bytes, *, last: bool) -> Iterator[Line]:
    """Yield the line of each memory that is complete with ``piece``.

    Raises:
        FormatError: the file is not of the format, or a field cannot have its value.
    """
    for found in syntax.read(piece, last=last):
        try:
            for record in form.memories(found.value):
                yield Line(_line(record), found.file or found.line)
        except FieldFault as error:
            raise FormatError(error.message, line=found.line, file=found.file, field=error.field) from error


def unpacked(form: ImportFormat, file: BinaryIO, *, size: int, limit: int) -> Iterator[bytes]:
    """Yield what is to be read of ``file``, in pieces of about ``size`` bytes and ``limit`` bytes at most.

    Raises:
        FormatError: the file is damaged, or has more.
    """
    if form.is_archive:
        return markdown_files.unpacked(file, size=size, limit=limit)
    compression = compression_of(file.read(4))
    file.seek(0)
    return pieces(file, compression, size=size, limit=limit)


def _line(record: JsonObject) -> bytes:
    return dumps(memory_line(record)).encode() + b"\n"


def _own(item: JsonValue) -> Iterator[JsonObject]:
    if not isinstance(item, Mapping):
        raise FieldFault("memory", "must be a JSON object")
    yield item


def _memory_service(item: JsonValue) -> Iterator[JsonObject]:
    yield foreign.from_memory_service(item)


def _mem0(item: JsonValue) -> Iterator[JsonObject]:
    yield foreign.from_mem0(item)


def _document(*keys: str) -> Callable[[Rest | None], Syntax]:
    return lambda rest: JsonDocument(keys, rest)


IMPORT_FORMATS: Final[Mapping[str, ImportFormat]] = {
    "json": ImportFormat(syntax=_document("memories"), memories=_own),
    "jsonl": ImportFormat(syntax=JsonLines, memories=_own),
    "csv": ImportFormat(syntax=CsvRows, memories=_own),
    "markdown": ImportFormat(syntax=MarkdownFiles, memories=_own, is_archive=True),
    "mcp-memory": ImportFormat(syntax=JsonLines, memories=graph.memories),
    "mcp-memory-service": ImportFormat(syntax=_document("memories"), memories=_memory_service),
    "mem0": ImportFormat(syntax=_document("results", "memories"), memories=_mem0),
}
