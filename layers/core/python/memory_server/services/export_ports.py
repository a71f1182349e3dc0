"""What exports of all that is a user's need from outside. See ports.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from memory_server.domain.exports import DataExport
from memory_server.services.transfer_requests import ExportRequest


class ExportRecords(Protocol):
    """What is known of a user's exports, inside one transaction; those that have expired are not there."""

    async def add(self, export_id: str) -> DataExport:
        """Return a new export, or the one that is running."""
        ...

    async def get(self, export_id: str) -> DataExport:
        """Raises: ExportNotFound."""
        ...

    async def list(self) -> Sequence[DataExport]:
        """Return them, newest first."""
        ...

    async def delete(self, export_id: str) -> None:
        """Raises: ExportNotFound."""
        ...


@dataclass(frozen=True, slots=True)
class DataTable:
    """The user's rows of a table: pieces of JSON Lines, each with the number of its lines, to be read once."""

    name: str
    pieces: AsyncGenerator[tuple[bytes, int]]


@dataclass(frozen=True, slots=True)
class OpenData:
    """All that the database has of a user at one moment. ``missing`` fills while the tables are read."""

    taken_at: datetime
    tables: AsyncGenerator[DataTable]
    missing: list[str] = field(default_factory=list[str])


class DataSource(Protocol):
    """The database, as the function that writes exports reads it. Every method may raise Unavailable."""

    def open(self, user_id: str) -> AbstractAsyncContextManager[OpenData]:
        """Give all tables as they are at one moment, for as long as the context lasts."""
        ...

    async def progress(self, request: ExportRequest, lines: int) -> bool:
        """Note how far the export is; return whether it is still wanted."""
        ...

    async def end(self, request: ExportRequest, *, size: int | None, error: str | None) -> bool:
        """Note that the export has ended; return whether it is still wanted."""
        ...


class ByteWriter(Protocol):
    """A file on its way; ``size`` are the bytes that it has by now."""

    size: int

    async def write(self, chunk: bytes) -> None: ...


class ExportFiles(Protocol):
    """The files of exports. Every method may raise Unavailable."""

    def writer(self, user_id: str, export_id: str) -> AbstractAsyncContextManager[ByteWriter]:
        """Give a file that is there when the context ends without an error, and never before."""
        ...

    async def link(self, user_id: str, export_id: str, *, seconds: int) -> str:
        """Return a URL that gives the file to whoever has it."""
        ...

    async def delete(self, user_id: str, export_id: str) -> None:
        """Remove the file; none does no harm."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that a plugin keeps for a user; ``url`` gives it to whoever has it, for a while."""

    plugin: str
    name: str
    bytes: int
    changed_at: datetime
    url: str


class UserFiles(Protocol):
    """The files that plugins keep."""

    async def list(self, user_id: str) -> Sequence[StoredFile]:
        """Raises: Unavailable."""
        ...
