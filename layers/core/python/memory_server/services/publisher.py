"""From an event to the plugins that want it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from memory_server.domain.errors import Unavailable
from memory_server.domain.events import causes_of
from memory_server.domain.grants import Grant, sign
from memory_server.services.delivery_ports import EventSequence, EventSequences, Waves
from memory_server.services.plugin_ports import PluginRegistry
from memory_server.services.ports import Clock, EventBus
from plugin_kit.envelope import Event

SUBSCRIPTIONS_LIFETIME: Final = timedelta(seconds=5)
# Longer than any queue keeps a message, so that a grant never ends before its event does.
GRANT_LIFETIME: Final = timedelta(days=15)
# Longer than a plugin needs to fail five times.
WAVE_LIFETIME: Final = timedelta(minutes=5)


class Publisher:
    """Addresses events to the enabled plugins that want their hook, signs their grants, and puts them on the bus.

    Where these plugins have one priority, that is all. Where they have several, those of the lowest number get the
    event now, and a sequence is kept for the others, which the Sequencer moves on.
    """

    def __init__(
        self, registry: PluginRegistry, bus: EventBus, sequences: EventSequences, grant_key: bytes, clock: Clock
    ) -> None:
        self._registry = registry
        self._bus = bus
        self._sequences = sequences
        self._grant_key = grant_key
        self._clock = clock
        self._subscriptions: Mapping[str, Waves] = {}
        self._asked_at = datetime.min.replace(tzinfo=UTC)

    async def publish(self, events: Sequence[Event]) -> list[Event]:
        """Return the events that the bus or their sequence did not take. One that no plugin wants is done without both.

        Raises:
            Unavailable: the registry does not answer; nothing was published.
        """
        subscriptions = await self._current_subscriptions()
        wanted = [(event, _apart_from_causes(event, subscriptions.get(event.hook, ()))) for event in events]
        sequenced = await asyncio.gather(*(self._start(event, waves) for event, waves in wanted if len(waves) > 1))
        addressed = [self.address(event, waves[0]) for event, waves in wanted if len(waves) == 1]
        addressed += [event for event in sequenced if event is not None and event.plugins]
        refused = {event.id for event in await self._bus.publish(addressed)}
        started = {event.id for event in sequenced if event is not None}
        refused |= {event.id for event, waves in wanted if len(waves) > 1 and event.id not in started}
        return [event for event in events if event.id in refused]

    async def send(self, events: Sequence[Event], plugins: Sequence[str], *, sequenced: bool = False) -> list[Event]:
        """Put ``events`` on the bus for ``plugins`` alone, and return those that it did not take."""
        addressed = [self.address(event, plugins, sequenced=sequenced) for event in events]
        return await self._bus.publish([event for event in addressed if event.plugins])

    def forget(self) -> None:
        """Ask the registry again at the next event: who is enabled has changed."""
        self._asked_at = datetime.min.replace(tzinfo=UTC)

    async def subscribers(self, hook: str) -> Waves:
        """Return the enabled plugins that want ``hook``, by priority.

        Raises:
            Unavailable: the registry does not answer.
        """
        return (await self._current_subscriptions()).get(hook, ())

    def address(self, event: Event, plugins: Sequence[str], *, sequenced: bool = False) -> Event:
        """Return ``event`` with those of ``plugins`` that did not cause it, and their grant.

        An event of no user has a grant where its plugins must say that they have finished.
        """
        causes = causes_of(event)
        plugins = tuple(plugin_id for plugin_id in plugins if plugin_id not in causes)
        if not plugins or (event.user_id is None and not sequenced):
            return replace(event, plugins=plugins)
        grant = Grant(
            event_id=event.id,
            user_id=event.user_id,
            plugins=plugins,
            expires_at=self._clock.now() + GRANT_LIFETIME,
            since=event.time,
            caused_by=causes,
        )
        return replace(event, plugins=plugins, grant=sign(grant, self._grant_key), sequenced=sequenced)

    async def _start(self, event: Event, waves: Waves) -> Event | None:
        """Return ``event`` addressed to those that get it now, or None where its sequence could not be kept."""
        first, *later = waves
        deadline = self._clock.now() + WAVE_LIFETIME
        sequence = EventSequence(event=event, pending=frozenset(first), waves=tuple(later), deadline=deadline)
        try:
            # An event that is published again goes to those that it is with by now.
            return self.address(event, sorted(await self._sequences.start(sequence)), sequenced=True)
        except Unavailable:
            return None

    async def _current_subscriptions(self) -> Mapping[str, Waves]:
        """Return the ids of the enabled plugins by the hook that they want and their priority, at most 5 s old."""
        # By the time of day: a monotonic clock may stand still while Lambda has the environment frozen.
        now = self._clock.now()
        if not timedelta(0) <= now - self._asked_at < SUBSCRIPTIONS_LIFETIME:
            found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
            for registration in await self._registry.list():
                for hook in registration.hooks if registration.enabled else ():
                    found[hook][registration.priority].append(registration.plugin_id)
            self._subscriptions = {
                hook: tuple(tuple(plugins) for _, plugins in sorted(by_priority.items()))
                for hook, by_priority in found.items()
            }
            self._asked_at = now
        return self._subscriptions


def _apart_from_causes(event: Event, waves: Waves) -> Waves:
    causes = causes_of(event)
    if not causes:
        return waves
    left = (tuple(plugin_id for plugin_id in wave if plugin_id not in causes) for wave in waves)
    return tuple(wave for wave in left if wave)
