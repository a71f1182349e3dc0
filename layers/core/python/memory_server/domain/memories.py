"""What a user says of a memory: drafts, patches, past versions, and the limits that they keep."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final, Literal, TypeAlias

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, MemoryType

MAX_CONTENT_BYTES: Final = 64 * 1024
MAX_METADATA_BYTES: Final = 16 * 1024
MAX_BATCH: Final = 1000

Vector: TypeAlias = Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDraft:
    """A memory before it is stored. Its fields are checked: a draft can be stored as it is."""

    content: str
    memory_type: MemoryType = "knowledge"
    project: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    importance: float = 0.5
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    expires_at: datetime | None = None
    allow_duplicate: bool = False


class Unset(Enum):
    """The value of a field that a patch leaves as it is; None clears a field."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPatch:
    """The fields that a change sets. ``metadata`` replaces the whole object."""

    content: str | Unset = UNSET
    memory_type: MemoryType | Unset = UNSET
    project: str | Unset | None = UNSET
    session_id: str | Unset | None = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    importance: float | Unset = UNSET
    metadata: JsonObject | Unset = UNSET
    expires_at: datetime | Unset | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVersion:
    """A memory as it was until ``replaced_at``, when it was updated or deleted."""

    memory: Memory
    replaced_at: datetime
    replaced_by: Literal["update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedMemory:
    """What is left to tell of a memory that was deleted among many."""

    id: str
    project: str | None
    session_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreResult:
    """What became of a draft: the memory that stands for it, and whether this request made it."""

    memory: Memory
    created: bool


def content_hash(content: str) -> bytes:
    """Return the SHA-256 by which two contents are held to be the same (32 bytes)."""
    return hashlib.sha256(content.encode()).digest()
