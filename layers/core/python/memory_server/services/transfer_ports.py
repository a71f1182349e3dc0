"""What bulk transfers need from outside. See ports.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from memory_server.domain.memories import Vector
from memory_server.domain.principals import Principal
from memory_server.domain.queries import MemoryFilter
from memory_server.services.transfer_requests import Caller, LoadRequest, TransferRequest
from plugin_kit.json_types import JsonObject

SERVER: Final = "_server"
"""Stands for a plugin where files are the server's own; no plugin can have this id, nor reach them."""


class TransferFunction(Protocol):
    """The function that does bulk transfers, without being waited for."""

    async def begin(self, request: TransferRequest) -> None:
        """Raises: Unavailable."""
        ...


class PartFiles(Protocol):
    """The files that plugins have for users. Every method may raise Unavailable."""

    async def write(self, caller: Caller, name: str, data: bytes) -> None:
        """Raises: UserErased: the user was erased since; the file is not there."""
        ...

    def lines(self, caller: Caller, name: str) -> AsyncIterator[bytes]:
        """Yield the lines of a file, without their ends.

        Raises: NoSuchFile; or InvalidRequest: it cannot have this name, or a line is far too long.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenSnapshot:
    """All of a user's memories that fit, at one moment, in blocks of whole lines of JSON, to be read once."""

    taken_at: datetime
    models: Sequence[str]
    memories: AsyncIterator[bytes]
    versions: AsyncIterator[bytes]


class SnapshotSource(Protocol):
    """Where snapshots are read."""

    def open(
        self, principal: Principal, where: MemoryFilter, *, embeddings: bool
    ) -> AbstractAsyncContextManager[OpenSnapshot]:
        """Give a snapshot for as long as the context lasts; its versions are read after its memories.

        Raises: Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedLine:
    """A line of a load, checked. What is None was not given, save where ``session_given`` and ``expiry_given`` say so.

    ``vector`` is a halfvec as PostgreSQL sends it. With ``replaced_by`` it is a former version.
    """

    place: int
    part: int
    line: int
    id: str | None
    content: str
    content_sha256: bytes
    project: str | None
    session_id: str | None
    session_given: bool
    memory_type: str | None
    tags: Sequence[str] | None
    importance: float | None
    metadata: JsonObject | None
    created_at: datetime | None
    updated_at: datetime | None
    expires_at: datetime | None
    expiry_given: bool
    version: int | None
    deduplicate: bool | None
    replaced_at: datetime | None
    replaced_by: str | None
    vector: bytes | None
    embedding_model: str | None


@dataclass(frozen=True, slots=True)
class RepeatedId:
    """A line whose id a line before it has: ``part`` is the place of the file among the load's."""

    part: int
    line: int
    id: str


Write: TypeAlias = Callable[[StagedLine], Awaitable[None]]


class Staging(Protocol):
    """The lines of one load, which nobody else sees. Every method may raise Unavailable."""

    def writer(self) -> AbstractAsyncContextManager[Write]:
        """Give what adds a line. What is raised inside leaves nothing."""
        ...

    async def repeated_id(self) -> RepeatedId | None: ...

    def unembedded(self, at_once: int) -> AsyncIterator[Mapping[bytes, str]]:
        """Yield the texts, by their hashes, that would be stored and have no vector."""
        ...

    async def embed(self, vectors: Mapping[bytes, Vector], model_id: str) -> None:
        """Give vectors to the lines of these texts."""
        ...

    async def apply(self) -> JsonObject:
        """Store all in one transaction, with its events, and return the outcome: that of before, where there is one.

        A dry run stores nothing.
        """
        ...


class BeingLoaded(Exception):
    """Another invocation is at the same load, and will tell what became of it."""


class LoadTarget(Protocol):
    """Where loads are stored."""

    async def outcome(self, request: LoadRequest) -> JsonObject | None:
        """Return what became of the load of this key before, None where there was none. Raises: Unavailable."""
        ...

    def stage(self, request: LoadRequest) -> AbstractAsyncContextManager[Staging]:
        """Give a place for the lines of ``request`` for as long as the context lasts.

        Another invocation that is at the load of this key already is waited for; nobody waits for dry runs.

        Raises: BeingLoaded: it takes long.
        """
        ...
