"""The file that an export makes of lines, and the lines that an import makes of a file."""

from __future__ import annotations

import io
from collections.abc import Sequence

from plugins.export_service.formats.reading import IMPORT_FORMATS, lines, unpacked
from plugins.export_service.formats.writing import EXPORT_FORMATS, Place
from plugins.export_service.formats.zip_archive import Joiner, split


def exported(form: str, parts: Sequence[bytes], *, embeddings: bool = False) -> bytes:
    """Return the file that has the lines of ``parts``, made a chunk a part."""
    made = EXPORT_FORMATS[form]
    chunks = [
        made.chunk(part, Place(first=index == 0, last=index == len(parts) - 1, embeddings=embeddings))
        for index, part in enumerate(parts)
    ]
    if not made.is_archive:
        return b"".join(chunks)
    joiner, file = Joiner(), b""
    for chunk in chunks:
        entries, directory = split(chunk)
        joiner.add(directory)
        file += entries
    return file + joiner.end()


def imported(form: str, file: bytes, *, size: int = 1024 * 1024) -> list[bytes]:
    """Return the lines of ``file``, read in pieces of ``size`` bytes, each by a syntax that was put away between."""
    read = IMPORT_FORMATS[form]
    pieces = list(unpacked(read, io.BytesIO(file), size=size, limit=64 * 1024 * 1024)) or [b""]
    found: list[bytes] = []
    rest = None
    for index, piece in enumerate(pieces):
        syntax = read.syntax(rest)
        found += [line.data for line in lines(read, syntax, piece, last=index == len(pieces) - 1)]
        rest = syntax.rest
    return found
