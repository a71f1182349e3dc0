"""A line of the server's as its fields, each the text of its JSON: what goes into a file as it is need not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from . import embeddings

Fields: TypeAlias = Mapping[str, str]

NULL: Final = "null"
_LINE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str | None)


def fields_of(lines: bytes, *, with_embeddings: bool) -> Iterator[Fields]:
    """Yield the fields of each of ``lines``; embeddings are lists of numbers then."""
    for line in lines.splitlines():
        fields = {name: str(raw, "utf-8") for name, raw in _LINE.decode(line).items()}
        if with_embeddings:
            fields["embedding"] = embeddings.as_text(text_of(fields["embedding"]) or "")
        yield fields


def text_of(field: str) -> str | None:
    """Return the text that a field holds, None for null."""
    return _TEXT.decode(field)
