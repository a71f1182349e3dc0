"""Snapshots: all memories of a user at one moment, in files of a plugin."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from typing import Final, Literal

from memory_server.domain.errors import MemoryServerError
from memory_server.domain.events import new_id
from memory_server.domain.principals import Principal
from memory_server.services.memory_arguments import read_filter
from memory_server.services.plugin_tasks import PluginTasks
from memory_server.services.transfer_ports import PartFiles, SnapshotSource
from memory_server.services.transfer_requests import SnapshotRequest
from plugin_kit.file_names import TRANSFERS
from plugin_kit.json_types import JsonValue

MAX_PART_BYTES: Final = 16 * 1024 * 1024

logger = logging.getLogger(__name__)


class Snapshots:
    """Takes snapshots, and tells the plugin's task of each."""

    def __init__(self, source: SnapshotSource, files: PartFiles, tasks: PluginTasks) -> None:
        self._source = source
        self._files = files
        self._tasks = tasks

    async def take(self, request: SnapshotRequest) -> None:
        """Take the snapshot, and start the task with its manifest, which has the error where it failed.

        Raises:
            Unavailable: the task could not be started.
        """
        caller = request.caller
        try:
            manifest = await self._manifest(request)
        except MemoryServerError as error:
            manifest = _failed(request, str(error))
        except Exception:
            error_id = new_id()
            logger.exception("the snapshot of plugin %s failed: error %s", caller.plugin_id, error_id)
            manifest = _failed(request, f"the server failed: its logs tell more of error {error_id}")
        await self._tasks.answer(caller, {"snapshot": manifest})

    async def _manifest(self, request: SnapshotRequest) -> dict[str, JsonValue]:
        where = read_filter(request.where)
        principal = Principal(request.caller.user_id)
        async with self._source.open(principal, where, embeddings=request.embeddings) as snapshot:
            parts = _Parts(self._files, request)
            try:
                memories = await parts.write("memory", snapshot.memories)
                versions = await parts.write("version", snapshot.versions) if request.history else 0
            finally:
                await parts.cancel()
        return {
            **_failed(request, None),
            "taken_at": snapshot.taken_at.isoformat(),
            "memories": memories,
            "versions": versions,
            "models": list(snapshot.models),
            "parts": parts.written,
            "sha256": parts.sha256,
        }


class _Parts:
    """Parts of one snapshot: while one is sent, the next is read."""

    def __init__(self, files: PartFiles, request: SnapshotRequest) -> None:
        self._files = files
        self._caller = request.caller
        self._folder = f"{TRANSFERS}{request.transfer_id}"
        self._sending: asyncio.Task[None] | None = None
        self._digest = hashlib.sha256()
        self.written: list[JsonValue] = []

    @property
    def sha256(self) -> str:
        """The digest of all parts, one behind the other."""
        return self._digest.hexdigest()

    async def write(self, kind: Literal["memory", "version"], blocks: AsyncIterator[bytes]) -> int:
        """Write ``blocks``, and return how many lines they had."""
        rows, buffer = 0, bytearray()
        async for block in blocks:
            if buffer and len(buffer) + len(block) > MAX_PART_BYTES:
                rows += await self._send(kind, bytes(buffer))
                buffer.clear()
            buffer += block
        if buffer:
            rows += await self._send(kind, bytes(buffer))
        await self._sent()
        return rows

    async def cancel(self) -> None:
        """Send no more."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _sent(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            await sending

    async def _send(self, kind: str, data: bytes) -> int:
        """Begin to send a part, and return how many lines it has."""
        name = f"{self._folder}/{len(self.written):05}.jsonl"
        digest, rows = hashlib.sha256(data).hexdigest(), data.count(b"\n")
        self._digest.update(data)
        await self._sent()
        self._sending = asyncio.create_task(self._files.write(self._caller, name, data))
        self.written.append({"name": name, "kind": kind, "rows": rows, "bytes": len(data), "sha256": digest})
        return rows


def _failed(request: SnapshotRequest, error: str | None) -> dict[str, JsonValue]:
    """Return the manifest of a snapshot that has nothing."""
    return {
        "id": request.transfer_id,
        "taken_at": None,
        "memories": 0,
        "versions": 0,
        "models": [],
        "parts": [],
        "sha256": None,
        "error": error,
    }
