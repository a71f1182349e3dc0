"""How a plugin does: its deliveries, its health, and what still waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal, TypeAlias

from memory_server.services.delivery_ports import Replay, Replays
from memory_server.services.plugin_ports import (
    PluginQueues,
    PluginRegistration,
    PluginRegistry,
    PluginStatistics,
    QueueDepth,
)

PluginHealth: TypeAlias = Literal["ok", "failing", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """A plugin, what became of its deliveries, what still waits for it, and its last replay."""

    registration: PluginRegistration
    statistics: PluginStatistics
    queue: QueueDepth
    replay: Replay | None

    @property
    def health(self) -> PluginHealth:
        """``failing`` from a delivery that failed to the next one that did not."""
        if not self.registration.enabled:
            return "disabled"
        failed, delivered = self.statistics.last_error_at, self.statistics.last_delivered_at
        return "failing" if failed is not None and (delivered is None or failed > delivered) else "ok"


class PluginStatusService:
    """Looks after plugins."""

    def __init__(self, registry: PluginRegistry, queues: PluginQueues, replays: Replays) -> None:
        self._registry = registry
        self._queues = queues
        self._replays = replays

    async def status(self, plugin_id: str) -> PluginStatus:
        """Raises: PluginNotFound, Unavailable."""
        registration = await self._registry.get(plugin_id)
        statistics, queue, replay = await asyncio.gather(
            self._registry.statistics(plugin_id), self._queues.depth(registration), self._replays.get(plugin_id)
        )
        return PluginStatus(registration=registration, statistics=statistics, queue=queue, replay=replay)
