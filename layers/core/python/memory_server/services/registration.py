"""Plugins come and go with their deployments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from memory_server.domain.errors import Fault, InvalidRequest, PluginNotFound, PluginRefused
from memory_server.services.json_schemas import schema_fault
from memory_server.services.plugin_lifecycle import PluginLifecycle
from memory_server.services.plugin_ports import (
    PluginFunctions,
    PluginRegistration,
    PluginRegistry,
    PluginSchemas,
)
from memory_server.services.ports import Clock
from plugin_kit.json_types import JsonObject, JsonValue

# What a registration says of a plugin between its first line and its last, and for good where that one never came.
UNFINISHED: Final = "its first registration has not ended: deploy it again"
# How the reason of a plugin begins that was registered though it was refused.
REFUSED: Final = "refused: "


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginDeployment:
    """Where a plugin was deployed.

    ``enabled`` is whether it is enabled when it is first registered, None where PLUGIN_INFO says. With
    ``keep_refused``, a plugin that is refused is registered nevertheless, for all to see why it is off.
    """

    plugin_id: str
    function_arn: str
    queue_url: str
    dead_letter_queue_url: str
    enabled: bool | None = None
    keep_refused: bool = False


class RegistrationService:
    """Adds plugins to the registry and removes them. What a plugin is, its own function says: no plugin runs here."""

    def __init__(
        self,
        registry: PluginRegistry,
        functions: PluginFunctions,
        schemas: PluginSchemas,
        lifecycle: PluginLifecycle,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._functions = functions
        self._schemas = schemas
        self._lifecycle = lifecycle
        self._clock = clock

    async def register(self, deployment: PluginDeployment) -> None:
        """Register the plugin, or renew its registration; its database comes before it.

        A plugin that is enabled by default is enabled when it is first registered. Where its ``initialize`` raises, it
        stays off and its ``disabled_reason`` says why. So does that of a plugin that is refused but kept: it has no
        hooks and no rights, and begins anew when it is registered without faults.

        Raises:
            InvalidRequest: the plugin is refused; the message lists its faults.
            PluginRefused: EventBridge Scheduler refuses a schedule of a plugin that is enabled.
            Unavailable: its function, the database or the registry does not answer.
        """
        known = await self._known(deployment.plugin_id)
        try:
            manifest = await self._describe(deployment)
        except InvalidRequest as error:
            if not deployment.keep_refused:
                raise
            await self._keep_refused(deployment, known, str(error))
            return
        if any(permission.startswith("database:") for permission in _names(manifest["permissions"])):
            await self._schemas.create(deployment.plugin_id)
        registration = self._registration(deployment, manifest)
        if known is not None and known.enabled:
            await self._lifecycle.schedule(registration)
            await self._lifecycle.unschedule(known, besides=registration)
        await self._registry.register(registration)
        if known is None or _has_not_begun(known):
            by_default = bool(manifest["enabled"]) if deployment.enabled is None else deployment.enabled
            await self._begin(deployment.plugin_id, enabled=by_default)

    async def remove(self, plugin_id: str, *, keep_schema: bool) -> None:
        """Disable and forget the plugin, and with ``keep_schema`` false all that it stored.

        Removing what is not there is done. A ``cleanup`` that raises keeps no plugin from being removed.
        """
        if await self._known(plugin_id) is not None:
            await self._lifecycle.disable(plugin_id)
        await self._registry.remove(plugin_id)
        if not keep_schema:
            await self._schemas.drop(plugin_id)

    async def _describe(self, deployment: PluginDeployment) -> JsonObject:
        manifest = await self._functions.describe(deployment.function_arn)
        faults = list(_schema_faults(manifest))
        if faults:
            raise InvalidRequest(faults)
        return manifest

    async def _keep_refused(self, deployment: PluginDeployment, known: PluginRegistration | None, fault: str) -> None:
        """Register the plugin as one that is off; one that an operator switched off stays as it is."""
        if known is not None and not known.enabled and not _has_not_begun(known):
            return
        if known is not None:
            await self._lifecycle.unschedule(known)
        await self._registry.register(self._registration(deployment, _without_hooks(deployment.plugin_id)))
        await self._registry.set_enabled(deployment.plugin_id, False, reason=f"{REFUSED}{fault}")

    async def _known(self, plugin_id: str) -> PluginRegistration | None:
        try:
            return await self._registry.get(plugin_id)
        except PluginNotFound:
            return None

    async def _begin(self, plugin_id: str, *, enabled: bool) -> None:
        """Give a plugin that is registered for the first time its first enable state."""
        reason: str | None = None
        if enabled:
            try:
                await self._lifecycle.enable(plugin_id)
            except PluginRefused as error:
                reason = str(error)
            else:
                return
        await self._registry.set_enabled(plugin_id, False, reason=reason)

    def _registration(self, deployment: PluginDeployment, manifest: JsonObject) -> PluginRegistration:
        return PluginRegistration(
            plugin_id=deployment.plugin_id,
            name=str(manifest["name"]),
            version=str(manifest["version"]),
            description=str(manifest["description"]),
            author=str(manifest["author"]),
            hooks=_names(manifest["hooks"]),
            priority=int(cast(int, manifest["priority"])),
            permissions=_names(manifest["permissions"]),
            # Of a first registration; a renewed one keeps what is there.
            enabled=False,
            disabled_reason=UNFINISHED,
            registered_at=self._clock.now(),
            function_arn=deployment.function_arn,
            queue_url=deployment.queue_url,
            dead_letter_queue_url=deployment.dead_letter_queue_url,
            manifest=manifest,
        )


def _has_not_begun(registration: PluginRegistration) -> bool:
    """Return whether a plugin is still to get its first enable state."""
    reason = registration.disabled_reason or ""
    return not registration.enabled and (reason == UNFINISHED or reason.startswith(REFUSED))


def _without_hooks(plugin_id: str) -> JsonObject:
    """Return what stands for the manifest of a plugin that has none."""
    nothing: list[JsonValue] = []
    texts = {"plugin_id": plugin_id, "name": plugin_id, "version": "0", "description": "", "author": ""}
    return {**texts, "hooks": nothing, "permissions": nothing, "priority": 0, "enabled": False}


def _names(value: JsonValue) -> tuple[str, ...]:
    return tuple(cast("Sequence[str]", value))


def _schema_faults(manifest: JsonObject) -> Iterator[Fault]:
    """Yield what is wrong with the JSON Schemas of PLUGIN_INFO, which the plugin's own function cannot check."""
    endpoints = cast("Sequence[JsonObject]", manifest.get("endpoints") or ())
    schemas = {("config",): manifest.get("config")} | {
        ("endpoints", number, part): endpoint.get(part)
        for number, endpoint in enumerate(endpoints)
        for part in ("request", "response")
    }
    for path, schema in schemas.items():
        fault = schema_fault(cast(JsonObject, schema)) if schema else None
        if fault is not None:
            yield Fault(("PLUGIN_INFO", *path), f"is not a JSON Schema (draft 2020-12): {fault}")
