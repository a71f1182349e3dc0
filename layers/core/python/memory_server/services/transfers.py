"""Bulk transfers of either kind."""

from __future__ import annotations

from memory_server.services.loads import Loads
from memory_server.services.snapshots import Snapshots
from memory_server.services.transfer_requests import SnapshotRequest, from_json
from plugin_kit.json_types import JsonObject


class Transfers:
    """Does what the gateway asked for, as JSON."""

    def __init__(self, snapshots: Snapshots, loads: Loads) -> None:
        self._snapshots = snapshots
        self._loads = loads

    async def run(self, request: JsonObject) -> None:
        """Take the snapshot, or do the load. Raises: Unavailable: the plugin's task could not be started."""
        asked = from_json(request)
        if isinstance(asked, SnapshotRequest):
            await self._snapshots.take(asked)
        else:
            await self._loads.load(asked)
