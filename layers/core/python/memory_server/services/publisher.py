"""From an event to the plugins that want it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from memory_server.domain.events import causes_of
from memory_server.domain.grants import Grant, sign
from memory_server.services.plugin_ports import PluginRegistry
from memory_server.services.ports import Clock, EventBus
from plugin_kit.envelope import Event

SUBSCRIPTIONS_LIFETIME: Final = timedelta(seconds=5)
# Longer than any queue keeps a message, so that a grant never ends before its event does.
GRANT_LIFETIME: Final = timedelta(days=15)


class Publisher:
    """Addresses events to the enabled plugins that want their hook, signs their grants, and puts them on the bus."""

    def __init__(self, registry: PluginRegistry, bus: EventBus, grant_key: bytes, clock: Clock) -> None:
        self._registry = registry
        self._bus = bus
        self._grant_key = grant_key
        self._clock = clock
        self._subscriptions: Mapping[str, Sequence[str]] = {}
        self._asked_at = datetime.min.replace(tzinfo=UTC)

    async def publish(self, events: Sequence[Event]) -> list[Event]:
        """Return the events that the bus did not take. One that no plugin wants is done without the bus.

        Raises:
            Unavailable: the registry does not answer; nothing was published.
        """
        subscriptions = await self._current_subscriptions()
        addressed = [self._address(event, subscriptions.get(event.hook, ())) for event in events]
        refused = {event.id for event in await self._bus.publish([event for event in addressed if event.plugins])}
        return [event for event in events if event.id in refused]

    def _address(self, event: Event, subscribers: Sequence[str]) -> Event:
        causes = causes_of(event)
        plugins = tuple(plugin_id for plugin_id in subscribers if plugin_id not in causes)
        if event.user_id is None or not plugins:
            return replace(event, plugins=plugins)
        grant = Grant(
            event_id=event.id,
            user_id=event.user_id,
            plugins=plugins,
            expires_at=self._clock.now() + GRANT_LIFETIME,
            caused_by=causes,
        )
        return replace(event, plugins=plugins, grant=sign(grant, self._grant_key))

    async def _current_subscriptions(self) -> Mapping[str, Sequence[str]]:
        """Return the ids of the enabled plugins by the hook that they want, at most 5 s old."""
        # By the time of day: a monotonic clock may stand still while Lambda has the environment frozen.
        now = self._clock.now()
        if not timedelta(0) <= now - self._asked_at < SUBSCRIPTIONS_LIFETIME:
            subscriptions: dict[str, list[str]] = {}
            for registration in await self._registry.list():
                for hook in registration.hooks if registration.enabled else ():
                    subscriptions.setdefault(hook, []).append(registration.plugin_id)
            self._subscriptions = subscriptions
            self._asked_at = now
        return self._subscriptions
