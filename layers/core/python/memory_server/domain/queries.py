"""How memories are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory, MemoryType

SearchMode: TypeAlias = Literal["hybrid", "semantic", "keyword"]
MAX_LIMIT: Final = 100
COUNTED: Final = ("day", "born", "project", "memory_type", "session_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFilter:
    """Conditions that all hold. None, or an empty tuple, is no condition.

    ``since`` (inclusive) and ``until`` (exclusive) bound ``created_at``; ``metadata`` is contained in the memory's.
    """

    project: str | None = None
    session_id: str | None = None
    memory_types: tuple[MemoryType, ...] = ()
    tags_any: tuple[str, ...] = ()
    tags_all: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    min_importance: float | None = None
    metadata: JsonObject | None = None

    @property
    def is_empty(self) -> bool:
        """True where every memory of the user fits."""
        return self == MemoryFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryCount:
    """How memories are counted: in groups of the keys ``by``, each of ``COUNTED``.

    ``deleted`` counts those that were deleted, by the time of it. ``born`` is a day that counts those too.
    """

    by: tuple[str, ...] = ()
    project: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """A search: ``text`` in any words, at most ``limit`` results of at least ``min_score`` (0..1)."""

    text: str
    limit: int = 10
    mode: SearchMode = "hybrid"
    filter: MemoryFilter = MemoryFilter()
    min_score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a result stands where it stands: its place and raw score in each leg, None where a leg did not run."""

    semantic_rank: int | None
    semantic_score: float | None
    keyword_rank: int | None
    keyword_score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A memory that a search found, its fused score in 0..1, and why."""

    memory: Memory
    score: float
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the last memory's time and id. The next page begins behind it."""

    created_at: datetime
    memory_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Memories from new to old, and where the next page begins (None at the end)."""

    memories: Sequence[Memory]
    next: Position | None
