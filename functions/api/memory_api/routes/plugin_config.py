"""The config of plugins, and their secrets."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path

from memory_api.auth import PluginAdmin
from memory_api.dependencies import PluginConfig, PluginId
from memory_api.problems import problems
from memory_api.schemas.plugin_config import PluginConfigIn, PluginConfigOut, SecretIn

router = APIRouter(prefix="/plugins/{plugin_id}", tags=["plugins"])

SecretName: TypeAlias = Annotated[
    str, Path(description="A name in the plugin's PLUGIN_INFO.", examples=["smtp_password"])
]


@router.get("/config", responses=problems(404, 422, 503))
async def get_plugin_config(_: PluginAdmin, plugin_id: PluginId, config: PluginConfig) -> PluginConfigOut:
    """Show a plugin's config over its defaults, its schedules, and which of its secrets are set."""
    return PluginConfigOut.of(await config.get(plugin_id))


@router.put("/config", responses=problems(404, 413, 415, 422, 503))
async def set_plugin_config(
    _: PluginAdmin, plugin_id: PluginId, body: PluginConfigIn, config: PluginConfig
) -> PluginConfigOut:
    """Set a plugin's config, level of logging or schedules. A plugin that is enabled goes by it at once."""
    return PluginConfigOut.of(await config.change(plugin_id, body.change()))


@router.put("/secrets/{name}", status_code=204, responses=problems(404, 413, 415, 422, 503))
async def set_plugin_secret(
    _: PluginAdmin, plugin_id: PluginId, name: SecretName, body: SecretIn, config: PluginConfig
) -> None:
    """Set a secret. The plugin alone can read it, at the latest after a minute; no answer ever shows it."""
    await config.set_secret(plugin_id, name, body.value.get_secret_value())


@router.delete("/secrets/{name}", status_code=204, responses=problems(404, 422, 503))
async def remove_plugin_secret(_: PluginAdmin, plugin_id: PluginId, name: SecretName, config: PluginConfig) -> None:
    """Remove the value of a secret, if it has one."""
    await config.remove_secret(plugin_id, name)
