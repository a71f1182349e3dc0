"""The public types of hooks and endpoints: what a plugin receives, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast, get_args

from plugin_kit.json_types import JsonObject, JsonValue

MemoryType = Literal["conversation", "function", "context", "knowledge", "decision", "error", "warning"]
MEMORY_TYPES: tuple[MemoryType, ...] = get_args(MemoryType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One memory of one user, as it is at a moment.

    ``importance`` lies in 0..1. Times are aware datetimes in UTC; ``version`` counts from 1 and grows with each change.
    """

    id: str
    content: str
    memory_type: MemoryType = "knowledge"
    project: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    importance: float = 0.5
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    user_id: str = "local"
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the JSON object that stands for this memory in an event."""
        return {
            "id": self.id,
            "content": self.content,
            "memory_type": self.memory_type,
            "project": self.project,
            "session_id": self.session_id,
            "tags": list(self.tags),
            "importance": self.importance,
            "metadata": self.metadata,
            "user_id": self.user_id,
            "version": self.version,
            "created_at": _time_text(self.created_at),
            "updated_at": _time_text(self.updated_at),
            "expires_at": _time_text(self.expires_at),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, JsonValue]) -> Memory:
        """Return the memory that ``to_dict`` wrote as ``data``; keys of a newer version are passed over.

        Raises:
            KeyError: ``data`` has no ``id`` or no ``content``.
        """
        return cls(
            id=str(data["id"]),
            content=str(data["content"]),
            memory_type=cast(MemoryType, data.get("memory_type", "knowledge")),
            project=cast("str | None", data.get("project")),
            session_id=cast("str | None", data.get("session_id")),
            tags=tuple(cast("list[str]", data.get("tags") or ())),
            importance=float(cast("float", data.get("importance", 0.5))),
            metadata=cast(JsonObject, data.get("metadata") or {}),
            user_id=str(data.get("user_id", "local")),
            version=int(cast("int", data.get("version", 1))),
            created_at=_time(data.get("created_at")),
            updated_at=_time(data.get("updated_at")),
            expires_at=_time(data.get("expires_at")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """A memory that a search found, with its score in 0..1 (higher is nearer)."""

    memory: Memory
    score: float

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the JSON object that stands for this result in an event."""
        return {"memory": self.memory.to_dict(), "score": self.score}

    @classmethod
    def from_dict(cls, data: Mapping[str, JsonValue]) -> SearchResult:
        """Return the result that ``to_dict`` wrote as ``data``."""
        return cls(
            memory=Memory.from_dict(cast(JsonObject, data["memory"])),
            score=float(cast("float", data["score"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRequest:
    """A request to an endpoint of the plugin. ``path`` begins with / and lies below /plugins/<id>.

    ``path_params`` are the values of the path's placeholders; ``body`` is the JSON body, None where there is none.
    """

    method: str
    path: str
    path_params: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointResponse:
    """An answer of an endpoint that is more than a JSON value: any status from 200, headers, another content type.

    ``body`` is a JSON value where ``content_type`` is JSON's, else a text. Of ``headers``, the client gets
    Cache-Control, Content-Disposition, ETag, Last-Modified and Location.
    """

    status: int = 200
    body: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json"


def _time_text(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _time(value: JsonValue) -> datetime | None:
    return None if value is None else datetime.fromisoformat(str(value))
