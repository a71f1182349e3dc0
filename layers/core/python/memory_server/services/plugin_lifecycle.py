"""A plugin is switched on and off: what it does at both, and what calls it in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from memory_server.domain.errors import InvalidRequest, MemoryServerError, PluginFailed, PluginRefused
from memory_server.services import plugin_schedules
from memory_server.services.plugin_ports import (
    PluginConfigs,
    PluginFunctions,
    PluginRegistration,
    PluginRegistry,
    PluginSchedules,
)
from memory_server.services.ports import Clock
from plugin_kit.lease import LEASE_SECONDS

logger = logging.getLogger(__name__)


class Subscriptions(Protocol):
    """What this process remembers of who is enabled."""

    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Disabled:
    """A plugin that is off, and what did not go well on the way."""

    registration: PluginRegistration
    warnings: tuple[str, ...] = ()


class PluginLifecycle:
    """Switches plugins on and off. ``subscriptions`` is None in a process that publishes nothing."""

    def __init__(
        self,
        registry: PluginRegistry,
        functions: PluginFunctions,
        configs: PluginConfigs,
        schedules: PluginSchedules,
        clock: Clock,
        subscriptions: Subscriptions | None = None,
    ) -> None:
        self._registry = registry
        self._functions = functions
        self._configs = configs
        self._schedules = schedules
        self._clock = clock
        self._subscriptions = subscriptions

    async def enable(self, plugin_id: str) -> PluginRegistration:
        """Initialize the plugin where it is off, make its schedules, and switch it on. On an error it stays off.

        Raises:
            PluginNotFound: no such plugin is registered.
            PluginRefused: its ``initialize`` raised, or one of its schedules is refused.
            Unavailable: its function, the registry or Scheduler does not answer.
        """
        registration = await self._registry.get(plugin_id)
        if registration.enabled:
            await self.schedule(registration)
            return registration
        try:
            await self._functions.initialize(registration.function_arn)
        except PluginFailed as error:
            raise PluginRefused(f"plugin {plugin_id!r} cannot be initialized: {error}") from error
        try:
            await self.schedule(registration)
            enabled = await self._registry.set_enabled(plugin_id, True)
        except MemoryServerError:
            await self._take_back(registration)
            raise
        self._forget()
        return enabled

    async def disable(self, plugin_id: str, *, reason: str | None = None) -> Disabled:
        """Switch the plugin off; no hook of it starts after this has returned. ``reason`` is None for a user's wish.

        Its schedules and its ``cleanup`` come after that: where they fail, the plugin is off nevertheless. Disabling
        what is disabled calls no ``cleanup``, and leaves its reason.

        Raises:
            PluginNotFound: no such plugin is registered.
            Unavailable: the registry does not answer.
        """
        registration = await self._registry.get(plugin_id)
        if not registration.enabled:
            return Disabled(registration, await self._warnings(self.unschedule(registration)))
        disabled = await self._registry.set_enabled(plugin_id, False, reason=reason)
        self._forget()
        # A host may still trust what it read just before the write.
        await asyncio.sleep(LEASE_SECONDS)
        warnings = await self._warnings(
            self.unschedule(registration), self._functions.cleanup(registration.function_arn)
        )
        return Disabled(disabled, warnings)

    async def schedule(self, registration: PluginRegistration) -> None:
        """Make the plugin's schedules what its manifest and its config say.

        Raises:
            PluginRefused: Scheduler refuses one.
            Unavailable: Scheduler or the registry does not answer.
        """
        if not plugin_schedules.declared(registration):
            return
        expressions = plugin_schedules.effective(registration, await self._configs.get(registration.plugin_id))
        try:
            await self._schedules.apply(registration, plugin_schedules.to_come(expressions, self._clock.now()))
        except InvalidRequest as error:
            raise PluginRefused(f"a schedule of plugin {registration.plugin_id!r} is refused: {error}") from error

    async def unschedule(self, registration: PluginRegistration, *, besides: PluginRegistration | None = None) -> None:
        """Delete the plugin's schedules, apart from those whose names ``besides`` has too.

        Raises:
            Unavailable: Scheduler does not answer.
        """
        kept = () if besides is None else plugin_schedules.declared(besides)
        names = [name for name in plugin_schedules.declared(registration) if name not in kept]
        if names:
            await self._schedules.delete(registration.plugin_id, names)

    async def _take_back(self, registration: PluginRegistration) -> None:
        await self._warnings(self.unschedule(registration), self._functions.cleanup(registration.function_arn))

    async def _warnings(self, *steps: Awaitable[None]) -> tuple[str, ...]:
        """Take each of ``steps``, whatever becomes of the others, and return what went wrong."""
        warnings: list[str] = []
        for step in steps:
            try:
                await step
            except MemoryServerError as error:
                logger.warning("while a plugin was switched off: %s", error)
                warnings.append(str(error))
        return tuple(warnings)

    def _forget(self) -> None:
        if self._subscriptions is not None:
            self._subscriptions.forget()
