"""How the plugins say that they are, for the server's own health document."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory_server.services.plugin_ports import PluginRegistration, PluginRegistry
from memory_server.services.ports import Clock
from memory_server.services.recent import Recent
from plugin_kit.json_types import JsonValue

PATIENCE_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """What a plugin's ``health_check`` returned last and when, and its last error."""

    enabled: bool
    health: JsonValue
    reported_at: datetime | None
    last_error: str | None


class PluginReports:
    """Reads what the plugins' hosts wrote down. No plugin is asked: none can make the server slow, or look ill."""

    def __init__(self, registry: PluginRegistry, clock: Clock, *, patience: float = PATIENCE_SECONDS) -> None:
        self._registry = registry
        self._recent = Recent(self._read, clock, patience=patience)

    async def recent(self) -> Mapping[str, PluginReport] | None:
        """Return the reports by the plugins' ids, some seconds old, or None where they are not there in time."""
        return await self._recent.get()

    async def _read(self) -> Mapping[str, PluginReport]:
        registrations = await self._registry.list()
        reports = await asyncio.gather(*(self._report(registration) for registration in registrations))
        return {registration.plugin_id: report for registration, report in zip(registrations, reports, strict=True)}

    async def _report(self, registration: PluginRegistration) -> PluginReport:
        statistics = await self._registry.statistics(registration.plugin_id)
        return PluginReport(
            enabled=registration.enabled,
            health=statistics.health,
            reported_at=statistics.health_at,
            last_error=statistics.last_error,
        )
