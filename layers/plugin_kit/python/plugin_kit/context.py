"""The context that every hook gets, and the Protocols of the services in it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypedDict, Unpack

from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, MemoryType, SearchResult


class DraftFields(TypedDict, total=False):
    """The fields of a new memory beside its content; what is left out takes the server's default."""

    memory_type: MemoryType
    project: str | None
    session_id: str | None
    tags: Sequence[str]
    importance: float
    metadata: JsonObject
    expires_at: datetime | None
    allow_duplicate: bool


class PatchFields(TypedDict, total=False):
    """The fields that a change sets; what is left out stays as it is, None clears."""

    content: str
    memory_type: MemoryType
    project: str | None
    session_id: str | None
    tags: Sequence[str]
    importance: float
    metadata: JsonObject
    expires_at: datetime | None


class MemoryService(Protocol):
    """The memories of the event's user. Needs ``memory:read``; changes need ``memory:write``.

    Every method of every service raises PermissionRefused where PLUGIN_INFO lacks the permission, and ServiceFailed
    where the server could not do it; the message says why.
    """

    async def get(self, memory_id: str) -> Memory: ...

    async def search(self, query: str, limit: int = 10) -> list[SearchResult]: ...

    async def create(self, content: str, **fields: Unpack[DraftFields]) -> Memory: ...

    async def update(self, memory_id: str, **fields: Unpack[PatchFields]) -> Memory: ...

    async def delete(self, memory_id: str) -> None: ...

    async def list(self, project: str | None = None, limit: int = 100) -> list[Memory]:
        """Return memories of ``project`` (None: of all), from new to old."""
        ...


class DatabaseService(Protocol):
    """The plugin's own PostgreSQL schema. One call is one statement and one transaction; ``%s`` marks a parameter."""

    async def query(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        """Return the rows of a read-only statement. Needs ``database:read``."""
        ...

    async def execute(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        """Run a statement that may write, and return the rows it returns. Needs ``database:write``."""
        ...


class EmbeddingService(Protocol):
    """The server's embedding model. Needs ``embedding``."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector of unit length a text, in order."""
        ...


class CacheService(Protocol):
    """Values that the plugin may lose at any time. Needs ``cache``."""

    async def get(self, key: str) -> JsonValue:
        """Return the value, None where there is none."""
        ...

    async def set(self, key: str, value: JsonValue, ttl_seconds: int = 3600) -> None: ...

    async def delete(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """The four services of one event's context."""

    memory: MemoryService
    database: DatabaseService
    embedding: EmbeddingService
    cache: CacheService


class Context(TypedDict):
    """What a hook gets beside its arguments.

    ``metadata`` holds the event's own metadata and ``event_id``, ``hook`` and ``occurred_at`` (ISO 8601): an event may
    come again under the same ``event_id``. The services act for ``user_id`` and only while the event is handled.
    """

    plugin_name: str
    server_config: JsonObject
    logger: logging.Logger
    memory_service: MemoryService
    database_service: DatabaseService
    embedding_service: EmbeddingService
    cache_service: CacheService
    user_id: str | None
    session_id: str | None
    project: str | None
    metadata: Mapping[str, JsonValue]


def build_context(
    event: Event, *, plugin_id: str, server_config: JsonObject, logger: logging.Logger, services: Services
) -> Context:
    """Return the context in which the plugin handles ``event``."""
    return {
        "plugin_name": plugin_id,
        "server_config": server_config,
        "logger": logger,
        "memory_service": services.memory,
        "database_service": services.database,
        "embedding_service": services.embedding,
        "cache_service": services.cache,
        "user_id": event.user_id,
        "session_id": event.session_id,
        "project": event.project,
        "metadata": {
            **event.metadata,
            "event_id": event.id,
            "hook": event.hook,
            "occurred_at": event.time.isoformat(),
        },
    }
