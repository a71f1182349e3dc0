"""The function's part of exports: all that is a user's, in one file."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from time import monotonic
from typing import Final

from memory_server.domain.errors import MemoryServerError
from memory_server.domain.events import new_id
from memory_server.domain.keys import ApiKey
from memory_server.services.archive import Archive
from memory_server.services.export_ports import DataSource, ExportFiles, OpenData, UserFiles
from memory_server.services.key_ports import KeyStore
from memory_server.services.transfer_requests import ExportRequest
from plugin_kit.json_types import JsonObject, dumps

_PROGRESS_SECONDS: Final = 1.0
_PAGE: Final = 100
_README: Final = """\
All that this memory server has of the user {user}, as it was at {time}.

Each file is JSON Lines: a JSON object a line, a line a row of the table that the file is named for.

memories.jsonl           what is remembered; POST /plugins/export_service/imports takes it as jsonl
memory_versions.jsonl    what memories were before they were changed or deleted
plugins/                 what each plugin keeps of the user in its tables
plugin_files.jsonl       the files that plugins keep for the user, with links that end after a day at most
keys.jsonl               the user's API keys, without their secrets
the others               events on their way to plugins, requests that may be repeated, how much is stored

Left out is what the server makes of these: vectors, search words and hashes.
{missing}"""

logger = logging.getLogger(__name__)


class _Unwanted(Exception):
    """The export was deleted, or its user erased, while it was written."""


class ExportWriter:
    """Writes exports, and notes what became of each."""

    def __init__(self, data: DataSource, keys: KeyStore, plugin_files: UserFiles, files: ExportFiles) -> None:
        self._data = data
        self._keys = keys
        self._plugin_files = plugin_files
        self._files = files

    async def write(self, request: ExportRequest) -> None:
        """Write the file of an export; a failure is noted with it. Raises: Unavailable: nothing can be noted."""
        size, error = None, None
        try:
            size = await self._write(request)
        except _Unwanted:
            return
        except MemoryServerError as refused:
            error = str(refused)
        except Exception:
            error_id = new_id()
            logger.exception("export %s failed: error %s", request.export_id, error_id)
            error = f"the server failed: its logs tell more of error {error_id}"
        if not await self._data.end(request, size=size, error=error) and size is not None:
            await self._files.delete(request.user_id, request.export_id)

    async def _write(self, request: ExportRequest) -> int:
        user_id = request.user_id
        async with self._files.writer(user_id, request.export_id) as out, self._data.open(user_id) as data:
            archive = Archive(out)
            await self._tables(request, archive, data)
            await _member(archive, "keys.jsonl", [_key(key) async for key in self._keys_of(user_id)])
            files = await self._plugin_files.list(user_id)
            await _member(archive, "plugin_files.jsonl", [_file(asdict(file)) for file in files])
            missing = "".join(f"\nMissing: {what}" for what in data.missing)
            readme = _README.format(user=user_id, time=data.taken_at.isoformat(), missing=missing)
            async with archive.member("README.txt") as member:
                await member.write(readme.encode())
            await archive.close()
        return out.size

    async def _tables(self, request: ExportRequest, archive: Archive, data: OpenData) -> None:
        written, noted_at = 0, monotonic()
        async with aclosing(data.tables) as tables:
            async for table in tables:
                async with archive.member(f"{table.name}.jsonl") as member, aclosing(table.pieces) as pieces:
                    async for piece, lines in pieces:
                        await member.write(piece)
                        written += lines
                        if monotonic() - noted_at > _PROGRESS_SECONDS:
                            noted_at = monotonic()
                            await self._note(request, written)
        await self._note(request, written)

    async def _note(self, request: ExportRequest, lines: int) -> None:
        if not await self._data.progress(request, lines):
            raise _Unwanted

    async def _keys_of(self, user_id: str) -> AsyncIterator[ApiKey]:
        after: str | None = None
        while True:
            page = await self._keys.list(user_id=user_id, after=after, limit=_PAGE)
            for key in page.keys:
                yield key
            if (after := page.next) is None:
                return


async def _member(archive: Archive, name: str, rows: Sequence[JsonObject]) -> None:
    async with archive.member(name) as member:
        await member.write("".join(f"{dumps(row)}\n" for row in rows).encode())


def _key(key: ApiKey) -> JsonObject:
    return {
        "id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "project": key.project,
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "requests_a_minute": key.requests_a_minute,
    }


def _file(file: dict[str, object]) -> JsonObject:
    return {name: value if isinstance(value, (str, int)) else str(value) for name, value in file.items()}
