"""A ZIP file that is sent while it is written: it is never in memory, nor on a disk, as a whole."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import IO, cast

from memory_server.services.export_ports import ByteWriter


class _Outbox:
    """What zipfile writes to: it cannot go back in it, and needs not to."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def flush(self) -> None:
        """Keep what was written until it is sent."""


class ArchiveMember:
    """A file inside the archive."""

    def __init__(self, archive: Archive, file: IO[bytes]) -> None:
        self._archive = archive
        self._file = file

    async def write(self, data: bytes) -> None:
        self._file.write(data)
        await self._archive.send()


class Archive:
    """A ZIP file, written to ``out``."""

    def __init__(self, out: ByteWriter) -> None:
        self._out = out
        self._outbox = _Outbox()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._outbox), "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    @asynccontextmanager
    async def member(self, name: str) -> AsyncGenerator[ArchiveMember]:
        """Give the file ``name`` to write; one at a time."""
        with self._zip.open(name, "w", force_zip64=True) as file:
            yield ArchiveMember(self, file)
        await self.send()

    async def close(self) -> None:
        """Write the list of what is in it."""
        self._zip.close()
        await self.send()

    async def send(self) -> None:
        """Send what was written by now."""
        data = bytes(self._outbox.data)
        self._outbox.data.clear()
        await self._out.write(data)
