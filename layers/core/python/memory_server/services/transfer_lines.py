"""The lines of a load: read from JSON, and checked with the limits of all memories."""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections.abc import Callable, Mapping
from typing import Final, cast

from memory_server.domain.errors import InvalidRequest
from memory_server.domain.memories import content_hash
from memory_server.services import arguments as read
from memory_server.services.memory_arguments import FIELDS, NAME
from memory_server.services.transfer_ports import StagedLine
from plugin_kit.json_types import JsonObject, JsonValue

_MAX_VERSION: Final = 2**31 - 1
# Of rounding to half precision.
_UNIT: Final = (0.99, 1.01)


def half_vector(dimensions: int) -> read.Reader:
    """Read the base64 of a halfvec of unit length as PostgreSQL sends it, and return its bytes."""
    form = struct.Struct(f">HH{dimensions}e")

    def reader(value: JsonValue) -> bytes:
        try:
            data = base64.b64decode(value if isinstance(value, str) else "", validate=True)
            found, unused, *numbers = form.unpack(data)
        except (binascii.Error, struct.error, ValueError):
            found, unused, numbers, data = 0, 0, [], b""
        low, high = _UNIT
        if found != dimensions or unused != 0 or not low < math.hypot(*numbers) < high:
            raise read.WrongValue(f"must be the base64 of a halfvec of {dimensions} numbers and of unit length")
        return data

    return reader


def line_reader(dimensions: int, model_id: str, project: str | None) -> Callable[[bytes, int, int, int], StagedLine]:
    """Return what reads a line, given its place among all, the place of its part, and its number in the part.

    Vectors of another model than ``model_id`` are left out; ``project`` stands in for each memory's where it is given.
    The reader raises InvalidRequest with a fault for each field that is wrong.
    """
    readers: Mapping[str, read.Reader] = {
        **FIELDS,
        "id": read.optional(read.uuid),
        "user_id": read.optional(NAME),
        "version": read.whole(1, _MAX_VERSION),
        "created_at": read.optional(read.time),
        "updated_at": read.optional(read.time),
        "deduplicate": read.boolean,
        "embedding_model": read.optional(NAME),
        "embedding": read.optional(half_vector(dimensions)),
    }
    of_another_model = {**readers, "embedding": read.json_value}  # it is computed anew, so its form does not matter
    of_version: Mapping[str, read.Reader] = {
        **{name: reader for name, reader in readers.items() if not name.startswith("embedding")},
        "replaced_at": read.optional(read.time),
        "replaced_by": read.choice(["update", "delete"]),
    }

    def reader(data: bytes, place: int, part: int, number: int) -> StagedLine:
        value = _parsed(data)
        ours = value.get("embedding_model") == model_id
        if "replaced_by" in value:
            given = read.read(value, of_version, required=["content", "id", "version"])
        else:
            given = read.read(value, readers if ours else of_another_model, required=["content"])
        known = {name: given.get(name) for name in _KEPT}
        known["project"] = project or known["project"]
        return StagedLine(  # pyright: ignore[reportCallIssue]  # the readers give the types
            place=place,
            part=part,
            line=number,
            content_sha256=content_hash(str(given["content"])),
            session_given="session_id" in given,
            expiry_given="expires_at" in given,
            vector=cast("bytes | None", given.get("embedding")) if ours else None,
            embedding_model=model_id if ours and given.get("embedding") is not None else None,
            **known,  # pyright: ignore[reportArgumentType]
        )

    return reader


_KEPT: Final = (
    *("id", "content", "project", "session_id", "memory_type", "tags", "importance", "metadata", "created_at"),
    *("updated_at", "expires_at", "version", "deduplicate", "replaced_at", "replaced_by"),
)


def _parsed(data: bytes) -> JsonObject:
    try:
        value: object = json.loads(data)
    except (RecursionError, ValueError) as error:
        raise InvalidRequest.of("line", f"is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidRequest.of("line", "must be a JSON object")
    return cast(JsonObject, value)
