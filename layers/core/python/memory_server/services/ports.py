"""What the services need from outside, as Protocols. adapters/, repository/ and outbox/ implement them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from memory_server.domain.memories import DeletedMemory, MemoryDraft, MemoryPatch, PastVersion, StoreResult, Vector
from memory_server.domain.principals import Principal
from memory_server.domain.queries import Hit, MemoryCount, MemoryFilter, Page, Position, SearchQuery
from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory


class Embedder(Protocol):
    """Texts to vectors of unit length. ``model_id`` names the model and its precision."""

    @property
    def model_id(self) -> str:
        """Raises: Unavailable: an embedder elsewhere was never asked, and does not answer."""
        ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector a text, in order.

        Raises:
            Unavailable: the embedder does not answer.
        """
        ...


class EmbeddingCache(Protocol):
    """Vectors of a user's by key, for a while. Losing one costs time, never truth: no method raises.

    What it has of a user goes with the user.
    """

    async def get(self, user_id: str, key: str) -> Vector | None: ...

    async def put(self, user_id: str, key: str, vector: Vector) -> None: ...


class MemoryRepository(Protocol):
    """The memories of one user, inside one transaction. Expired memories are never found by any method."""

    async def find_duplicates(self, drafts: Sequence[MemoryDraft]) -> dict[int, Memory]:
        """Return by index the memories that already hold a draft's content in its project."""
        ...

    async def add(
        self, drafts: Sequence[MemoryDraft], vectors: Mapping[int, Vector], model_id: str
    ) -> list[StoreResult]:
        """Store the drafts, or find what is there, in order. A draft without a vector must have a duplicate."""
        ...

    async def get(self, memory_id: str) -> Memory:
        """Raises: MemoryNotFound."""
        ...

    async def update(
        self, memory_id: str, patch: MemoryPatch, *, vector: Vector | None, model_id: str, expected_version: int | None
    ) -> Memory:
        """Apply ``patch`` and keep the version before. ``vector`` is given exactly when the content changes.

        Raises: MemoryNotFound, VersionConflict, DuplicateContent.
        """
        ...

    async def delete(self, memory_id: str, *, expected_version: int | None = None) -> Memory:
        """Delete the memory, keep its last version in the history, and return it.

        Raises: MemoryNotFound, VersionConflict.
        """
        ...

    async def delete_many(self, ids: Sequence[str] | None, where: MemoryFilter | None) -> list[DeletedMemory]:
        """Delete by ids or by filter (one of them is given); return what was deleted, by id."""
        ...

    async def match_ids(self, ids: Sequence[str] | None, where: MemoryFilter | None) -> list[str]:
        """Return the ids that ``delete_many`` would delete."""
        ...

    async def history(self, memory_id: str) -> list[PastVersion]:
        """Return past versions, newest first; it answers for deleted memories too.

        Raises: MemoryNotFound: the user never had such a memory.
        """
        ...

    async def count(self, wanted: MemoryCount, *, limit: int) -> Sequence[JsonObject]:
        """Return at most ``limit`` groups: the keys of each, and ``count``."""
        ...

    async def list(self, where: MemoryFilter, *, after: Position | None, limit: int) -> Page: ...

    async def search(self, query: SearchQuery, vector: Vector | None, model_id: str) -> list[Hit]:
        """``vector`` is None exactly in keyword mode."""
        ...


class Outbox(Protocol):
    """Events of change, written in the caller's transaction."""

    async def append(self, events: Sequence[Event]) -> None: ...

    async def mark_published(self, event_ids: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What a request with an Idempotency-Key was answered: its fingerprint and the ids of its memories."""

    fingerprint: bytes
    memory_ids: tuple[str, ...]
    created: tuple[bool, ...]


class IdempotencyKeys(Protocol):
    """Idempotency-Keys of one user, kept with the changes that they stand for."""

    async def claim(self, key: str, fingerprint: bytes) -> StoredResponse | None:
        """Take ``key`` for this transaction, waiting for another that holds it; return what it was answered, if it was.

        Raises: IdempotencyKeyReused: the key stands for another fingerprint.
        """
        ...

    async def store(self, key: str, response: StoredResponse) -> None: ...


class UnitOfWork(Protocol):
    """One transaction of one user. Leaving it normally commits, leaving it by an exception rolls back."""

    @property
    def memories(self) -> MemoryRepository: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def idempotency(self) -> IdempotencyKeys: ...


class Erased(Protocol):
    """Who was erased, and when, for all who work without the database."""

    async def note(self, user_id: str, erased_at: datetime) -> None:
        """Let all know that what happened to the user until ``erased_at`` is of nobody. Raises: Unavailable."""
        ...

    async def gone(self, user_id: str | None, since: datetime) -> bool:
        """Return whether the user was erased at ``since`` or after it; None is nobody's. Raises: Unavailable."""
        ...


class UserData(Protocol):
    """A place that holds what is a user's."""

    async def erase(self, user_id: str) -> None:
        """Remove all of it; again does no harm. Raises: Unavailable."""
        ...


class Database(Protocol):
    """Transactions. Every statement inside one is confined to the principal by row-level security."""

    def transaction(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]:
        """Raises: Unavailable: the database does not answer."""
        ...

    async def ping(self) -> None:
        """Raises: Unavailable."""
        ...


class OutboxBacklog(Protocol):
    """The outbox across all users, for the relay alone."""

    def claim(self, *, older_than: datetime, limit: int) -> AbstractAsyncContextManager[list[Event]]:
        """Lock unpublished events, oldest first, save those that this version of the server cannot read.

        Leaving the context marks those as published that are still in the list; an exception frees them all.
        """
        ...

    async def count_unreadable(self) -> int:
        """Return how many unpublished events another version of the server wrote, which alone can read them."""
        ...

    async def prune(self, *, happened_before: datetime) -> int:
        """Forget published events that happened before; return how many."""
        ...


class EventBus(Protocol):
    """The way to the plugins."""

    async def publish(self, events: Sequence[Event]) -> list[Event]:
        """Put ``events`` on the bus and return those that it did not take (the caller keeps or drops them)."""
        ...

    async def announce(self, detail_type: str, detail: JsonObject) -> None:
        """Put on the bus something for operators, which is no hook and goes to no plugin.

        Raises: Unavailable: the bus did not take it.
        """
        ...

    async def ping(self) -> None:
        """Raises: Unavailable."""
        ...


class Clock(Protocol):
    """The time, in UTC."""

    def now(self) -> datetime: ...


class Health(Protocol):
    """A part whose health can be asked for."""

    async def ping(self) -> None:
        """Raises: Unavailable."""
        ...
