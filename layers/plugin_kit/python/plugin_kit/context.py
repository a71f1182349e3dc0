"""The context that every hook gets, and the Protocols of the services in it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, TypedDict, Unpack

from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, MemoryType, SearchResult

Conflict: TypeAlias = Literal["skip", "overwrite", "duplicate"]


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

    async def count(
        self,
        by: Sequence[str] = (),
        *,
        project: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        deleted: bool = False,
    ) -> list[JsonObject]:
        """Return how many memories there are, in rows of the keys of ``by`` and ``count``.

        ``by`` has any of ``day``, ``project``, ``memory_type`` and ``session_id``; a day is the UTC date of
        ``created_at`` as ISO text. ``born`` is a day too, but counts every memory that ever was. With ``deleted``, the
        memories are those that were deleted, and their time is that of the deletion. ``since`` is within the range,
        ``until`` is not. Raises AnswerTooLarge where there are more than 10,000 rows.
        """
        ...

    async def list(self, project: str | None = None, limit: int = 100, *, after: Memory | None = None) -> list[Memory]:
        """Return memories of ``project`` (None: of all), from new to old; those that come ``after`` the given one."""
        ...

    async def later(self, task: str, arguments: JsonObject | None = None, *, delay_seconds: int = 0) -> None:
        """Call the function ``task`` of PLUGIN_INFO["tasks"] after 0 to 900 s, in the name of the event's user.

        It is delivered like an event: at least once, and again when it raises.
        """
        ...

    async def for_every_user(self, task: str, arguments: JsonObject | None = None) -> int:
        """Call ``task`` once for each user who has or had memories, in that user's name; return how many they are.

        It needs no user, so a schedule may do it. Needs ``users``.
        """
        ...

    async def snapshot(
        self,
        then: str,
        arguments: JsonObject | None = None,
        *,
        where: JsonObject | None = None,
        history: bool = False,
        embeddings: bool = False,
    ) -> str:
        """Let the server write the memories that fit ``where`` into files of the plugin, and return the transfer's id.

        All are read in one transaction. Afterwards the task ``then`` is called with ``arguments`` and ``snapshot``: the
        manifest of docs/plugins/context.md. Needs ``files`` too.
        """
        ...

    async def load(
        self,
        key: str,
        parts: Sequence[str],
        then: str,
        arguments: JsonObject | None = None,
        *,
        conflict: Conflict = "skip",
        project: str | None = None,
        dry_run: bool = False,
    ) -> None:
        """Let the server store the memories of the plugin's files ``parts``: all or none of them, once a ``key``.

        Afterwards the task ``then`` is called with ``arguments`` and ``load``: what was done, or the ``error`` for
        which nothing was. ``project`` puts all memories into that project. A ``conflict`` is an id or a content that is
        there already. Needs ``files`` too.
        """
        ...


class FileWriter(Protocol):
    """A file that is being written."""

    async def write(self, chunk: bytes) -> None:
        """Add ``chunk``, of any length."""
        ...

    async def copy(self, name: str) -> int:
        """Add the plugin's file ``name`` and return its bytes; from 5 MiB on, the storage copies them itself.

        Raises FileNotFoundError.
        """
        ...


class Files(Protocol):
    """The plugin's own files for the event's user, in object storage. Needs ``files``.

    The same name is another file for another user; where the event is of no user, as a schedule is, so are its files.
    A name has 1 to 512 letters, digits and any of ``._-/``, no ``..`` and no ``/`` in front; ValueError says so. Files
    below ``transfers/`` are deleted after a day.
    """

    async def write(self, name: str, data: bytes) -> None:
        """Write the file as a whole, at most 64 MB."""
        ...

    async def read(self, name: str, *, start: int = 0, end: int | None = None) -> bytes:
        """Return the file, or its bytes from ``start`` to before ``end``. Raises FileNotFoundError."""
        ...

    async def delete(self, name: str) -> None:
        """Delete the file if it is there."""
        ...

    async def size(self, name: str) -> int | None:
        """Return how many bytes the file has, None where there is none."""
        ...

    async def link(self, name: str, *, seconds: int = 3600, filename: str | None = None) -> str:
        """Return a URL from which anybody can download the file for ``seconds``, under the name ``filename``."""
        ...

    def writer(self, name: str) -> AbstractAsyncContextManager[FileWriter]:
        """Give what writes a large file in chunks. It is there when the context ends, and not at all if it raises."""
        ...


class DatabaseService(Protocol):
    """The plugin's own PostgreSQL schema. One call is one statement and one transaction; ``%s`` marks a parameter."""

    @property
    def files(self) -> Files:
        """The plugin's own files for the event's user. Needs ``files``."""
        ...

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
