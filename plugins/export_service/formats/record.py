"""A memory in a file: which fields it may have, what each may be, and the line that the server loads."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import MEMORY_TYPES

from .embeddings import MAX_DIMENSIONS, as_halfvec
from .faults import FieldFault
from .json_text import dumps

MAX_CONTENT_BYTES: Final = 64 * 1024
MAX_METADATA_BYTES: Final = 16 * 1024
MAX_METADATA_DEPTH: Final = 32
MAX_NAME_BYTES: Final = 1024
MAX_TAGS: Final = 100
MAX_VERSION: Final = 2**31 - 1

# Those of a time in UTC as it is written here, without and with microseconds: it is taken as it stands.
_LENGTHS_OF_TIMES: Final = (len("2026-01-31T12:00:00+00:00"), len("2026-01-31T12:00:00.000001+00:00"))
_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CLEARED_BY_NULL: Final = frozenset({"project", "session_id", "expires_at"})
"""Fields of which an overwrite must know whether they were left out or are none."""

Check: TypeAlias = Callable[[JsonValue], JsonValue]


class Wrong(ValueError):
    """A value that a field cannot have; the message says what would be right."""


def memory_line(record: JsonObject) -> JsonObject:
    """Return the line that loads the memory ``record``, every field of it checked as the API checks it.

    Raises:
        FieldFault: a field is missing, unknown, or has a value that it cannot have.
    """
    line: dict[str, JsonValue] = {}
    for field, value in record.items():
        check = _CHECKS.get(field)
        if check is None:
            raise FieldFault(field, f"is not known: a memory has {', '.join(_CHECKS)}")
        if value is None and field != "content":
            if field in CLEARED_BY_NULL:
                line[field] = None
            continue
        try:
            line[field] = check(value)
        except Wrong as error:
            raise FieldFault(field, str(error)) from error
    if "content" not in line:
        raise FieldFault("content", "is missing")
    if "embedding" in line and "embedding_model" not in line:
        raise FieldFault("embedding_model", "is missing: name the model that made the embedding, or leave both out")
    line.pop("user_id", None)  # whose it becomes is who imports it
    return line


def text(value: JsonValue) -> str:
    """Return a text that can be stored."""
    if not isinstance(value, str):
        raise Wrong(f"must be a text, not {_shown(value)}")
    if "\0" in value:
        raise Wrong("must not contain the NUL character (U+0000)")
    _size(value)
    return value


def time(value: JsonValue) -> str:
    """Return a time as ISO 8601 in UTC, to the microsecond."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.upper())
            if moment.tzinfo is UTC and len(value) in _LENGTHS_OF_TIMES:
                return value
            if moment.tzinfo is not None:
                return moment.astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            pass
    raise Wrong(f"must be a time with its offset from UTC, as in 2026-01-31T12:00:00Z, not {_shown(value)}")


def metadata(value: JsonValue) -> JsonValue:
    """Return a JSON object of at most 16 KiB."""
    if not isinstance(value, dict):
        raise Wrong(f"must be a JSON object, not {_shown(value)}")
    try:
        encoded = dumps(value)
    except ValueError:
        raise Wrong("must not contain a number beyond 1.8e308") from None
    size = _size(encoded)
    if size > MAX_METADATA_BYTES:
        raise Wrong(f"must be at most {MAX_METADATA_BYTES:,} bytes of compact JSON: it is {size:,} bytes")
    if "\\u0000" in encoded and any(isinstance(part, str) and "\0" in part for part in _parts(value)):
        raise Wrong("must not contain the NUL character (U+0000)")
    if encoded.count("{") + encoded.count("[") > MAX_METADATA_DEPTH and _depth(value) > MAX_METADATA_DEPTH:
        raise Wrong(f"must not be nested deeper than {MAX_METADATA_DEPTH} levels")
    return value


def _size(value: str) -> int:
    """Return how many bytes of UTF-8 a text has."""
    try:
        return len(value) if value.isascii() else len(value.encode())
    except UnicodeEncodeError:
        raise Wrong("must be valid Unicode: it contains half of a surrogate pair") from None


def _content(value: JsonValue) -> str:
    content = text(value)
    size = _size(content)
    if not 1 <= size <= MAX_CONTENT_BYTES:
        raise Wrong(f"must be 1 to {MAX_CONTENT_BYTES:,} bytes of UTF-8: it is {size:,} bytes")
    return content


def _name(value: JsonValue) -> str:
    name = text(value)
    size = _size(name)
    if not 1 <= size <= MAX_NAME_BYTES:
        raise Wrong(f"must be 1 to {MAX_NAME_BYTES:,} bytes of UTF-8: it is {size:,} bytes")
    return name


def _tags(value: JsonValue) -> list[str]:
    if not isinstance(value, list):
        raise Wrong(f"must be a list of texts, not {_shown(value)}")
    tags = [_name(tag) for tag in value]
    if len(tags) > MAX_TAGS:
        raise Wrong(f"must have at most {MAX_TAGS} tags: it has {len(tags):,}")
    return tags


def _memory_type(value: JsonValue) -> JsonValue:
    if value not in MEMORY_TYPES:
        raise Wrong(f"must be one of {', '.join(MEMORY_TYPES)}, not {_shown(value)}")
    return value


def _importance(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Wrong(f"must be a number from 0 to 1, not {_shown(value)}")
    return float(value)


def _version(value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_VERSION:
        raise Wrong(f"must be a whole number from 1, not {_shown(value)}")
    return value


def _id(value: JsonValue) -> str:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise Wrong(f"must be a UUID, not {_shown(value)}: leave it out to get a new one")
    return value.lower()


def _flag(value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {_shown(value)}")
    return value


def _embedding(value: JsonValue) -> str:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_DIMENSIONS:
        raise Wrong(f"must be a list of 1 to {MAX_DIMENSIONS:,} numbers")
    try:
        return as_halfvec(cast("Sequence[float]", value))
    except (OverflowError, TypeError, ValueError, struct.error):
        raise Wrong("must be a list of numbers of at most 65504") from None


def _parts(value: JsonValue) -> Iterator[JsonValue]:
    """Yield the keys and the values inside of a JSON value, and itself where it has none."""
    if isinstance(value, Mapping):
        yield from value
        for entry in value.values():
            yield from _parts(entry)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for entry in value:
            yield from _parts(entry)
    else:
        yield value


def _depth(value: JsonValue) -> int:
    """Return how many objects and lists are within each other."""
    if isinstance(value, Mapping):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _shown(value: JsonValue) -> str:
    """Return ``value`` as an error shows it: short."""
    try:
        shown = dumps(value)
    except ValueError:
        shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


_CHECKS: Final[Mapping[str, Check]] = {
    "id": _id,
    "content": _content,
    "memory_type": _memory_type,
    "project": _name,
    "session_id": _name,
    "tags": _tags,
    "importance": _importance,
    "metadata": metadata,
    "user_id": text,
    "version": _version,
    "created_at": time,
    "updated_at": time,
    "expires_at": time,
    "deduplicate": _flag,
    "embedding_model": text,
    "embedding": _embedding,
}
FIELDS: Final = tuple(_CHECKS)
