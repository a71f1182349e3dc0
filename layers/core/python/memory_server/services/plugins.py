"""Plugins are listed."""

from __future__ import annotations

from memory_server.services.plugin_ports import PluginRegistration, PluginRegistry


class PluginService:
    """The registered plugins."""

    def __init__(self, registry: PluginRegistry) -> None:
        self._registry = registry

    async def list(self) -> list[PluginRegistration]:
        return await self._registry.list()
