"""Lines of memories as the server gives them: each field the text of its JSON, decoded only where a format needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from . import embeddings

_BLOCK_BYTES: Final = 256 * 1024
"""Lines are decoded so many at once: their values take several times their bytes."""


class Line(msgspec.Struct):
    """The fields of a memory, in the order of ``record.FIELDS``."""

    id: Raw
    content: Raw
    memory_type: Raw
    project: Raw
    session_id: Raw
    tags: Raw
    importance: Raw
    metadata: Raw
    user_id: Raw
    version: Raw
    created_at: Raw
    updated_at: Raw
    expires_at: Raw
    deduplicate: Raw


class EmbeddedLine(Line):
    """With an embedding, which is a list of numbers."""

    embedding_model: Raw
    embedding: Raw


def lines_of(data: bytes, *, with_embeddings: bool) -> Iterator[Line]:
    """Yield the memories of ``data``."""
    for block in _blocks(data):
        if with_embeddings:
            for line in _EMBEDDED.decode_lines(block):
                line.embedding = Raw(embeddings.as_json(_TEXT.decode(line.embedding)))
                yield line
        else:
            yield from _PLAIN.decode_lines(block)


def text_of(field: Raw) -> str | None:
    """Return the text that a field holds, None for null."""
    return _TEXT_OR_NULL.decode(field)


def json_of(field: Raw) -> str:
    """Return a field as it stands."""
    return str(field, "utf-8")


def _blocks(data: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(data):
        end = data.find(b"\n", begin + _BLOCK_BYTES) + 1 or len(data)
        yield data[begin:end]
        begin = end


_PLAIN: Final = msgspec.json.Decoder(Line)
_EMBEDDED: Final = msgspec.json.Decoder(EmbeddedLine)
_TEXT: Final = msgspec.json.Decoder(str)
_TEXT_OR_NULL: Final = msgspec.json.Decoder(str | None)
