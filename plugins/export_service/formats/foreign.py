"""The memories of mcp-memory-service and of mem0, as this server has them.

What this server has no field for is kept in the metadata, under the name of the server that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, cast

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import MEMORY_TYPES

from .faults import FieldFault
from .record import MAX_NAME_BYTES

_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KNOWN_TO_SERVICE: Final = frozenset({"content", "tags", "memory_type", "metadata", "embedding"})
_KNOWN_TO_MEM0: Final = frozenset({"memory", "content", "metadata", "created_at", "updated_at", "categories"})
_TIMES: Final = ("created_at", "updated_at")


def from_memory_service(item: JsonValue) -> JsonObject:
    """Return the memory of an entry of mcp-memory-service's export. Its embedding is of a model without a name.

    Raises:
        FieldFault: the entry is none.
    """
    entry = _object(item)
    extra = {
        key: value
        for key, value in entry.items()
        if key not in _KNOWN_TO_SERVICE and key not in _TIMES and not key.endswith("_iso")
    }
    kind = entry.get("memory_type")
    if kind not in MEMORY_TYPES and kind is not None:
        extra["memory_type"] = kind
    memory: dict[str, JsonValue] = {
        "content": entry.get("content"),
        "tags": _tags("tags", entry.get("tags")),
        "metadata": _metadata(entry, "mcp_memory_service", extra),
    }
    if kind in MEMORY_TYPES:
        memory["memory_type"] = kind
    for name in _TIMES:
        value = entry.get(name)
        memory[name] = _time(name, entry.get(f"{name}_iso") if value is None else value)
    return memory


def from_mem0(item: JsonValue) -> JsonObject:
    """Return the memory of an entry that mem0's get_all, its export or OpenMemory's gives.

    Raises:
        FieldFault: the entry is none.
    """
    entry = _object(item)
    field = "memory" if "memory" in entry or "content" not in entry else "content"
    if not isinstance(entry.get(field), str):
        raise FieldFault(field, "is missing" if entry.get(field) is None else "must be a text")
    memory: dict[str, JsonValue] = {"content": entry[field], "tags": _tags("categories", entry.get("categories"))}
    extra = {key: value for key, value in entry.items() if key not in _KNOWN_TO_MEM0 and value is not None}
    if isinstance(entry.get("id"), str) and _UUID.fullmatch(str(entry["id"])):
        memory["id"] = extra.pop("id")
    run = entry.get("run_id")
    if isinstance(run, str) and 1 <= len(run.encode(errors="replace")) <= MAX_NAME_BYTES:
        memory["session_id"] = extra.pop("run_id")
    memory["metadata"] = _metadata(entry, "mem0", extra)
    for name in _TIMES:
        memory[name] = _time(name, entry.get(name))
    return memory


def _object(item: JsonValue) -> JsonObject:
    if not isinstance(item, Mapping):
        raise FieldFault("memories", "must be a list of JSON objects")
    return item


def _metadata(entry: JsonObject, server: str, extra: JsonObject) -> JsonObject:
    value = entry.get("metadata")
    if value is not None and not isinstance(value, Mapping):
        raise FieldFault("metadata", "must be a JSON object")
    own = cast(JsonObject, value or {})
    return {**own, server: extra} if extra else own


def _tags(field: str, value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    if isinstance(value, str):  # as older versions have them
        return list(dict.fromkeys(tag for tag in map(str.strip, value.split(",")) if tag))
    if not isinstance(value, Sequence):
        raise FieldFault(field, "must be a list of texts")
    return [tag for tag in value if tag != ""]


def _time(field: str, value: JsonValue) -> str | None:
    """Return a time that is given in seconds since 1970, or as ISO 8601, in UTC where it has no offset."""
    try:
        if value is None:
            return None
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.upper())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).isoformat()
    except (OSError, OverflowError, ValueError):
        pass
    raise FieldFault(field, "must be a time: seconds since 1970, or ISO 8601")
