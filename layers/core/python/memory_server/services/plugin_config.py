"""What an operator sets for a plugin: its config, its level of logging, its schedules, and its secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from memory_server.domain.errors import Fault, InvalidRequest, SecretNotFound, Unavailable
from memory_server.services import plugin_schedules
from memory_server.services.json_schemas import value_faults
from memory_server.services.plugin_ports import (
    LogLevel,
    PluginConfig,
    PluginConfigs,
    PluginRegistration,
    PluginRegistry,
    PluginSchedules,
    PluginSecrets,
)
from memory_server.services.ports import Clock
from plugin_kit.config_defaults import with_defaults
from plugin_kit.json_types import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigView:
    """All that can be set: ``values`` and ``schedules`` as they hold, ``secrets`` by name whether there is a value."""

    values: JsonObject
    schema: JsonObject
    log_level: LogLevel
    schedules: Mapping[str, str]
    secrets: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """What is to be set; None leaves what is. ``values`` and ``schedules`` are whole: a name left out goes back."""

    values: JsonObject | None = None
    schedules: Mapping[str, str] | None = None
    log_level: LogLevel | None = None


class PluginConfigService:
    """Reads and sets the config of plugins, enabled or not."""

    def __init__(
        self,
        registry: PluginRegistry,
        configs: PluginConfigs,
        secrets: PluginSecrets,
        schedules: PluginSchedules,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._configs = configs
        self._secrets = secrets
        self._schedules = schedules
        self._clock = clock

    async def get(self, plugin_id: str) -> ConfigView:
        """Raises: PluginNotFound, Unavailable."""
        return await self._view(await self._registry.get(plugin_id), await self._configs.get(plugin_id))

    async def change(self, plugin_id: str, change: ConfigChange) -> ConfigView:
        """Set what ``change`` gives, all of it or nothing; a schedule of an enabled plugin changes at once.

        Raises:
            PluginNotFound: no such plugin is registered.
            InvalidRequest: with every fault, at ``config`` or ``schedules`` and the path below.
            Unavailable: a part does not answer; what was set may be set again.
        """
        registration = await self._registry.get(plugin_id)
        faults = [*_value_faults(registration, change.values), *self._schedule_faults(registration, change.schedules)]
        if faults:
            raise InvalidRequest(faults)
        if change.schedules is not None and registration.enabled:
            await self._reschedule(registration, change.schedules)
        config = await self._configs.put(plugin_id, values=change.values, schedules=change.schedules)
        if change.log_level is not None:
            registration = await self._registry.set_log_level(plugin_id, change.log_level)
        return await self._view(registration, config)

    async def set_secret(self, plugin_id: str, name: str, value: str) -> None:
        """Raises: PluginNotFound, SecretNotFound, Unavailable."""
        await self._check_secret(plugin_id, name)
        await self._secrets.put(plugin_id, name, value)

    async def remove_secret(self, plugin_id: str, name: str) -> None:
        """Remove the value, if there is one.

        Raises: PluginNotFound, SecretNotFound, Unavailable.
        """
        await self._check_secret(plugin_id, name)
        await self._secrets.delete(plugin_id, name)

    async def _view(self, registration: PluginRegistration, config: PluginConfig) -> ConfigView:
        schema = _schema(registration)
        declared = _secrets(registration)
        given = await self._secrets.names(registration.plugin_id) if declared else frozenset[str]()
        return ConfigView(
            values=with_defaults(schema, config.values),
            schema=schema,
            log_level=registration.log_level,
            schedules=plugin_schedules.effective(registration, config),
            secrets={name: name in given for name in declared},
        )

    def _schedule_faults(self, registration: PluginRegistration, schedules: Mapping[str, str] | None) -> list[Fault]:
        return list(plugin_schedules.faults(registration, schedules or {}, self._clock.now()))

    async def _reschedule(self, registration: PluginRegistration, schedules: Mapping[str, str]) -> None:
        """Let the plugin be called by ``schedules``; where one is refused, those before it are as they were."""
        before = plugin_schedules.effective(registration, await self._configs.get(registration.plugin_id))
        after = plugin_schedules.effective(registration, PluginConfig(schedules=schedules))
        try:
            await self._apply(registration, after)
        except (InvalidRequest, Unavailable):
            with suppress(InvalidRequest, Unavailable):
                await self._apply(registration, before)
            raise

    async def _apply(self, registration: PluginRegistration, expressions: Mapping[str, str]) -> None:
        await self._schedules.apply(registration, plugin_schedules.to_come(expressions, self._clock.now()))

    async def _check_secret(self, plugin_id: str, name: str) -> None:
        declared = _secrets(await self._registry.get(plugin_id))
        if name not in declared:
            raise SecretNotFound(plugin_id, name, declared)


def _schema(registration: PluginRegistration) -> JsonObject:
    return cast(JsonObject, registration.manifest.get("config") or {})


def _secrets(registration: PluginRegistration) -> Sequence[str]:
    return cast("Sequence[str]", registration.manifest.get("secrets") or ())


def _value_faults(registration: PluginRegistration, values: JsonObject | None) -> list[Fault]:
    if values is None:
        return []
    schema = _schema(registration)
    if not schema:
        return [Fault(("config", name), "the plugin has no config: remove it") for name in values]
    faults = value_faults(schema, with_defaults(schema, values))
    return [Fault(("config", *fault.path), fault.message) for fault in faults]
