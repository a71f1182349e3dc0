"""Notices: what is told of one event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory, SearchResult

HOOKS: Final = MappingProxyType(
    {
        "memory_created": "Memory created",
        "memory_updated": "Memory updated",
        "memory_deleted": "Memory deleted",
        "memory_retrieved": "Memory read",
        "search_performed": "Search performed",
        "search_failed": "Search failed",
    }
)
FIELDS: Final = (
    "event",
    "hook",
    "occurred_at",
    "project",
    "in_project",
    "memory_id",
    "memory_type",
    "tags",
    "importance",
    "content",
)
MAX_CONTENT: Final = 4_000
"""Characters of a memory or a query that are told; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a rule looks at and a message tells. What an event does not know is None.

    ``content`` is the memory's, the query of a search, or empty; ``details`` goes into JSON alone.
    """

    hook: str
    occurred_at: str
    project: str | None
    content: str = ""
    memory_id: str | None = None
    memory_type: str | None = None
    tags: tuple[str, ...] | None = None
    importance: float | None = None
    bulk: bool = False

    def fields(self) -> dict[str, str]:
        """Return the fields of templates."""
        return {
            "event": HOOKS.get(self.hook, "Test of the channel"),
            "hook": self.hook,
            "occurred_at": self.occurred_at,
            "project": self.project or "",
            "in_project": f" in {self.project}" if self.project else "",
            "memory_id": self.memory_id or "",
            "memory_type": self.memory_type or "",
            "tags": ", ".join(self.tags or ()),
            "importance": "" if self.importance is None else f"{self.importance:g}",
            "content": self.content,
        }

    def to_dict(self) -> JsonObject:
        """Return the JSON object that webhooks send and ``from_dict`` reads."""
        return {
            "hook": self.hook,
            "occurred_at": self.occurred_at,
            "project": self.project,
            "content": self.content,
            "memory_id": self.memory_id,
            "memory_type": self.memory_type,
            "tags": None if self.tags is None else list(self.tags),
            "importance": self.importance,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Notice:
        """Return the notice that ``to_dict`` wrote."""
        tags = cast("Sequence[str] | None", data["tags"])
        return cls(
            hook=str(data["hook"]),
            occurred_at=str(data["occurred_at"]),
            project=cast("str | None", data["project"]),
            content=str(data["content"]),
            memory_id=cast("str | None", data["memory_id"]),
            memory_type=cast("str | None", data["memory_type"]),
            tags=None if tags is None else tuple(tags),
            importance=cast("float | None", data["importance"]),
        )


def of_memory(memory: Memory, context: Context) -> Notice:
    """Return the notice of an event that brings a memory."""
    return Notice(
        hook=str(context["metadata"]["hook"]),
        occurred_at=str(context["metadata"]["occurred_at"]),
        project=memory.project,
        content=_cut(memory.content),
        memory_id=memory.id,
        memory_type=memory.memory_type,
        tags=memory.tags,
        importance=memory.importance,
        bulk="bulk" in context["metadata"],
    )


def of_deletion(memory_id: str, context: Context) -> Notice:
    """Return the notice of a deletion, of which the id and the project are known."""
    return _of_event(context, memory_id=memory_id)


def of_search(query: str, results: Sequence[SearchResult], context: Context) -> Notice:
    """Return the notice of a search."""
    return _of_event(context, content=_cut(f"{query}\n{len(results)} results"))


def of_failure(query: str, error: str, context: Context) -> Notice:
    """Return the notice of a search that failed."""
    return _of_event(context, content=_cut(f"{query}\n{error}"))


def _of_event(context: Context, *, content: str = "", memory_id: str | None = None) -> Notice:
    metadata = context["metadata"]
    return Notice(
        hook=str(metadata["hook"]),
        occurred_at=str(metadata["occurred_at"]),
        project=context["project"],
        content=content,
        memory_id=memory_id,
        bulk="bulk" in metadata,
    )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CONTENT else f"{text[: MAX_CONTENT - 1]}…"
