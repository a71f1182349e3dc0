"""A plugin that keeps failing is switched off: it would fail with all that comes, and be paid for it."""

from __future__ import annotations

import logging

from memory_server.domain.errors import Unavailable
from memory_server.services.plugin_lifecycle import PluginLifecycle
from memory_server.services.plugin_ports import PluginRegistry
from memory_server.services.ports import Clock, EventBus

logger = logging.getLogger(__name__)


class SwitchOff:
    """Disables plugins that fail ``limit`` times in a row; none where it is 0."""

    def __init__(
        self, registry: PluginRegistry, lifecycle: PluginLifecycle, bus: EventBus, clock: Clock, *, limit: int
    ) -> None:
        self._registry = registry
        self._lifecycle = lifecycle
        self._bus = bus
        self._clock = clock
        self._limit = limit

    async def failing(self, plugin_id: str) -> bool:
        """Disable the plugin if its statistics say that it keeps failing, announce it, and return whether it is off.

        Raises:
            PluginNotFound: no such plugin is registered.
            Unavailable: the registry does not answer.
        """
        registration = await self._registry.get(plugin_id)
        if not registration.enabled:
            return True
        statistics = await self._registry.statistics(plugin_id)
        if not 0 < self._limit <= statistics.consecutive_failures:
            return False
        reason = (
            # Without the error itself, which may quote what is a user's: it stands where a user's erasure finds it.
            f"it failed {statistics.consecutive_failures} times in a row: its status and its deliveries tell how. "
            "Enable it again when it is mended, then replay its dead letters"
        )
        await self._lifecycle.disable(plugin_id, reason=reason)
        logger.error("plugin %s is switched off: %s", plugin_id, reason)
        await self._announce(plugin_id, reason)
        return True

    async def _announce(self, plugin_id: str, reason: str) -> None:
        time = self._clock.now().isoformat()
        try:
            await self._bus.announce("plugin_disabled", {"plugin_id": plugin_id, "reason": reason, "time": time})
        except Unavailable as error:
            logger.warning("nobody was told that plugin %s is switched off: %s", plugin_id, error)
