"""Between rows and the domain's types."""

from __future__ import annotations

from dataclasses import fields
from typing import Final
from uuid import UUID

from pgvector import HalfVector
from psycopg.rows import DictRow

from memory_server.domain.memories import Vector
from memory_server.domain.queries import MemoryFilter
from plugin_kit.json_types import dumps
from plugin_kit.models import Memory

_FIELDS: Final = tuple(field.name for field in fields(Memory))


def memory_of(row: DictRow) -> Memory:
    """Return the memory in the columns that {memory} names; other columns are passed over."""
    values = {name: row[name] for name in _FIELDS}
    values["id"] = str(values["id"])
    values["tags"] = tuple(values["tags"])
    return Memory(**values)


def half_vector(vector: Vector) -> HalfVector:
    """Return ``vector`` in half precision, as the column holds it."""
    return HalfVector(list(vector))


def filter_json(where: MemoryFilter) -> str:
    """Return ``where`` as the JSON that the function ``matches`` reads: conditions that are none are absent."""
    conditions = {
        "project": where.project,
        "session_id": where.session_id,
        "memory_types": where.memory_types or None,
        "tags_any": where.tags_any or None,
        "tags_all": where.tags_all or None,
        "since": where.since and where.since.isoformat(),
        "until": where.until and where.until.isoformat(),
        "min_importance": where.min_importance,
        "metadata": where.metadata,
    }
    return dumps({name: value for name, value in conditions.items() if value is not None})


def uuid_of(text: str) -> UUID | None:
    """Return the UUID that ``text`` is, or None: no row has an id that is no UUID."""
    try:
        return UUID(text)
    except ValueError:
        return None
