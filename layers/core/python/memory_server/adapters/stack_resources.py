"""The custom resources of template.yaml and infra/plugin.yaml."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from memory_server.domain.errors import InvalidRequest
from memory_server.services.registration import PluginDeployment, RegistrationService

_SCHEMA_ID: Final = "database-schema"


class DatabaseSchemaResource:
    """``Custom::DatabaseSchema``: the tables and roles of the server. ``prepare`` may be run again at any time."""

    def __init__(self, prepare: Callable[[], Awaitable[object]]) -> None:
        self._prepare = prepare

    async def put(self, properties: Mapping[str, str]) -> str:  # noqa: ARG002
        await self._prepare()
        return _SCHEMA_ID

    async def delete(self, physical_id: str, properties: Mapping[str, str]) -> None:
        """Do nothing: memories are never deleted along with a stack."""


class PluginRegistrationResource:
    """``Custom::PluginRegistration``: a plugin in the registry. Its physical id is the plugin's id.

    Some properties may be left out. ``EnabledPlugins`` are the ids of the plugins that are enabled when they are first
    registered; where there are none, PLUGIN_INFO says. ``RefusedPlugins`` is "Fail" or "Register", ``KeepSchema`` is
    "true" or "false".
    """

    def __init__(self, registration: RegistrationService) -> None:
        self._registration = registration

    async def put(self, properties: Mapping[str, str]) -> str:
        plugin_id = _required(properties, "PluginId")
        enabled = [name for name in properties.get("EnabledPlugins", "").split(",") if name]
        deployment = PluginDeployment(
            plugin_id=plugin_id,
            function_arn=_required(properties, "FunctionArn"),
            queue_url=_required(properties, "QueueUrl"),
            dead_letter_queue_url=_required(properties, "DeadLetterQueueUrl"),
            enabled=plugin_id in enabled if enabled else None,
            keep_refused=properties.get("RefusedPlugins") == "Register",
        )
        await self._registration.register(deployment)
        return plugin_id

    async def delete(self, physical_id: str, properties: Mapping[str, str]) -> None:
        """Remove the plugin; what it stored goes too where the property ``KeepSchema`` is "false"."""
        keep = properties.get("KeepSchema", "true").lower() != "false"
        await self._registration.remove(physical_id, keep_schema=keep)


def _required(properties: Mapping[str, str], name: str) -> str:
    value = properties.get(name)
    if not value:
        raise InvalidRequest.of(name, "the resource's property is missing: infra/plugin.yaml sets it")
    return value
