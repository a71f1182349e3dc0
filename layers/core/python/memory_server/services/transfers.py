"""Bulk transfers of every kind."""

from __future__ import annotations

from collections.abc import Callable

from memory_server.services.export_writing import ExportWriter
from memory_server.services.loads import Loads
from memory_server.services.snapshots import Snapshots
from memory_server.services.transfer_requests import ExportRequest, LoadRequest, SnapshotRequest, from_json
from plugin_kit.json_types import JsonObject


class Transfers:
    """Does what the gateway or the API asked for, as JSON."""

    def __init__(self, snapshots: Snapshots, loads: Loads, exports: ExportWriter) -> None:
        self._snapshots = snapshots
        self._loads = loads
        self._exports = exports

    async def run(self, request: JsonObject, has_time: Callable[[], bool]) -> None:
        """Do it; what can go on in another invocation does where ``has_time`` says that this one ends.

        Raises:
            Unavailable: nobody could be told what became of it.
        """
        asked = from_json(request)
        match asked:
            case SnapshotRequest():
                await self._snapshots.take(asked)
            case LoadRequest():
                await self._loads.load(asked, has_time)
            case ExportRequest():
                await self._exports.write(asked)
