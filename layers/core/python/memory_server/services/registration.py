"""Plugins come and go with their deployments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from memory_server.services.plugin_ports import PluginFunctions, PluginRegistration, PluginRegistry, PluginSchemas
from memory_server.services.ports import Clock
from plugin_kit.json_types import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginDeployment:
    """Where a plugin was deployed."""

    plugin_id: str
    function_arn: str
    queue_url: str
    dead_letter_queue_url: str


class RegistrationService:
    """Adds plugins to the registry and removes them. What a plugin is, its own function says: no plugin runs here."""

    def __init__(
        self, registry: PluginRegistry, functions: PluginFunctions, schemas: PluginSchemas, clock: Clock
    ) -> None:
        self._registry = registry
        self._functions = functions
        self._schemas = schemas
        self._clock = clock

    async def register(self, deployment: PluginDeployment) -> None:
        """Register the plugin, or renew its registration; its database comes before it.

        Raises:
            InvalidRequest: the plugin is refused; the message lists its faults.
            Unavailable: its function, the database or the registry does not answer.
        """
        manifest = await self._functions.describe(deployment.function_arn)
        permissions = _names(manifest["permissions"])
        if any(permission.startswith("database:") for permission in permissions):
            await self._schemas.create(deployment.plugin_id)
        await self._registry.register(
            PluginRegistration(
                plugin_id=deployment.plugin_id,
                name=str(manifest["name"]),
                version=str(manifest["version"]),
                description=str(manifest["description"]),
                author=str(manifest["author"]),
                hooks=_names(manifest["hooks"]),
                priority=int(cast(int, manifest["priority"])),
                permissions=permissions,
                enabled=bool(manifest["enabled"]),
                registered_at=self._clock.now(),
                function_arn=deployment.function_arn,
                queue_url=deployment.queue_url,
                dead_letter_queue_url=deployment.dead_letter_queue_url,
                manifest=manifest,
            )
        )

    async def remove(self, plugin_id: str, *, keep_schema: bool) -> None:
        """Forget the plugin, and with ``keep_schema`` false all that it stored. Removing what is not there is done."""
        await self._registry.remove(plugin_id)
        if not keep_schema:
            await self._schemas.drop(plugin_id)


def _names(value: JsonValue) -> tuple[str, ...]:
    return tuple(cast("Sequence[str]", value))
