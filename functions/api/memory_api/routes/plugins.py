"""Plugins: listed, enabled, disabled."""

from __future__ import annotations

from fastapi import APIRouter

from memory_api.auth import PluginAdmin, PluginReader
from memory_api.dependencies import Lifecycle, PluginId, Plugins
from memory_api.problems import problems
from memory_api.schemas.plugins import DisabledPluginOut, PluginList, PluginOut

router = APIRouter(prefix="/plugins", tags=["plugins"])


@router.get("/list", responses=problems(503))
async def list_plugins(_: PluginReader, plugins: Plugins) -> PluginList:
    """List all registered plugins."""
    return PluginList(plugins=[PluginOut.of(registration) for registration in await plugins.list()])


@router.post("/enable/{plugin_id}", responses=problems(404, 422, 503))
async def enable_plugin(_: PluginAdmin, plugin_id: PluginId, lifecycle: Lifecycle) -> PluginOut:
    """Initialize and enable a plugin; 422 has the reason why it stays off.

    It gets the events that happen from now on, at the latest after 5 seconds, and is called by its schedules.
    """
    return PluginOut.of(await lifecycle.enable(plugin_id))


@router.post("/disable/{plugin_id}", responses=problems(404, 422, 503))
async def disable_plugin(_: PluginAdmin, plugin_id: PluginId, lifecycle: Lifecycle) -> DisabledPluginOut:
    """Disable a plugin, and let it clean up: no hook of it starts after this has answered."""
    return DisabledPluginOut.after(await lifecycle.disable(plugin_id))
