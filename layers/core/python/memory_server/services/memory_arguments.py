"""The fields of memories and of filters in the JSON of plugins, with their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from memory_server.domain.memories import MAX_CONTENT_BYTES, MAX_METADATA_BYTES
from memory_server.domain.queries import MemoryFilter
from memory_server.services import arguments as read
from plugin_kit.json_types import JsonObject
from plugin_kit.models import MEMORY_TYPES

MAX_NAME_BYTES: Final = 1024
MAX_TAGS: Final = 100

NAME: Final = read.text(MAX_NAME_BYTES)
_TAGS: Final = read.many(NAME, most=MAX_TAGS)

FIELDS: Final[Mapping[str, read.Reader]] = {
    "content": read.text(MAX_CONTENT_BYTES),
    "memory_type": read.choice(MEMORY_TYPES),
    "project": read.optional(NAME),
    "session_id": read.optional(NAME),
    "tags": _TAGS,
    "importance": read.number(0, 1),
    "metadata": read.json_object(MAX_METADATA_BYTES),
    "expires_at": read.optional(read.time),
}
"""What a user says of a memory."""

_FILTER: Final[Mapping[str, read.Reader]] = {
    "project": read.optional(NAME),
    "session_id": read.optional(NAME),
    "memory_types": read.many(read.choice(MEMORY_TYPES), most=MAX_TAGS),
    "tags_any": _TAGS,
    "tags_all": _TAGS,
    "since": read.optional(read.time),
    "until": read.optional(read.time),
    "min_importance": read.optional(read.number(0, 1)),
    "metadata": read.optional(read.json_object(MAX_METADATA_BYTES)),
}


def read_filter(value: JsonObject) -> MemoryFilter:
    """Return the filter that ``value`` stands for.

    Raises:
        InvalidRequest: with a fault for each condition that is unknown or wrong.
    """
    return MemoryFilter(**read.read(value, _FILTER))  # pyright: ignore[reportArgumentType]  # the readers give the types
