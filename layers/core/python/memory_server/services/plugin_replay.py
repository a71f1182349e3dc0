"""Events are given to a plugin again: its dead letters, or what happened in a range of time.

The API notes a replay and wakes the relay, which does it, goes on every minute until it is done, and notes how far it
is. Whatever crashes, a replay that was accepted ends; what is given twice, the plugin knows by the event's id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from memory_server.domain.errors import MemoryServerError, PluginNotEnabled
from memory_server.domain.events import new_id
from memory_server.services.delivery_ports import DeadLetters, EventArchive, Relay, Replay, Replays
from memory_server.services.plugin_ports import PluginQueues, PluginRegistration, PluginRegistry
from memory_server.services.ports import Clock
from memory_server.services.publisher import Publisher
from plugin_kit.envelope import Event

BATCH: Final = 200

logger = logging.getLogger(__name__)


class PluginReplays:
    """Accepts replays."""

    def __init__(
        self, registry: PluginRegistry, queues: PluginQueues, replays: Replays, relay: Relay, clock: Clock
    ) -> None:
        self._registry = registry
        self._queues = queues
        self._replays = replays
        self._relay = relay
        self._clock = clock

    async def start(
        self,
        plugin_id: str,
        source: Literal["dead_letters", "archive"],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        force: bool = False,
    ) -> tuple[Replay, int | None]:
        """Return the replay that has begun, and of dead letters how many there are about.

        ``since`` and ``until`` are given for the archive alone. What the plugin handled before has no second effect,
        unless ``force`` asks for it.

        Raises:
            PluginNotFound: no such plugin is registered.
            PluginNotEnabled: it would drop what it is given.
            ReplayRunning: the one before is not done.
            Unavailable: the registry does not answer.
        """
        registration = await self._registry.get(plugin_id)
        if not registration.enabled:
            raise PluginNotEnabled(plugin_id)
        dead = (await self._queues.depth(registration)).dead if source == "dead_letters" else None
        replay = Replay(
            replay_id=new_id(),
            plugin_id=plugin_id,
            source=source,
            started_at=self._clock.now(),
            since=since,
            until=until,
            force=force,
        )
        await self._replays.start(replay)
        await self._relay.wake()
        return replay, dead


class Replayer:
    """Does the replays that were accepted, in the relay."""

    def __init__(
        self,
        registry: PluginRegistry,
        replays: Replays,
        archive: EventArchive,
        dead_letters: DeadLetters,
        publisher: Publisher,
    ) -> None:
        self._registry = registry
        self._replays = replays
        self._archive = archive
        self._dead_letters = dead_letters
        self._publisher = publisher

    async def run(self, has_time: Callable[[], bool]) -> int:
        """Go on with every replay while there is time, and return how many events are on their way again.

        Raises:
            Unavailable: the state does not answer.
        """
        replayed = 0
        for replay in await self._replays.running():
            try:
                replayed += await self._run(replay, has_time)
            except MemoryServerError as error:
                logger.warning("replay %s of plugin %s waits: %s", replay.replay_id, replay.plugin_id, error)
        return replayed

    async def _run(self, replay: Replay, has_time: Callable[[], bool]) -> int:
        before = replay.replayed
        while has_time() and not replay.done:
            registration = await self._registry.get(replay.plugin_id)
            if not registration.enabled:
                # It would drop them all; it may be enabled again.
                raise PluginNotEnabled(replay.plugin_id)
            step = self._dead_letter_step if replay.source == "dead_letters" else self._archive_step
            following = await step(replay, registration)
            if following == replay:
                break
            replay = following
            await self._replays.save(replay)
        return replay.replayed - before

    async def _dead_letter_step(self, replay: Replay, registration: PluginRegistration) -> Replay:
        moved = await self._dead_letters.move(registration, sent_before=replay.started_at)
        return replace(replay, replayed=replay.replayed + moved, done=moved == 0)

    async def _archive_step(self, replay: Replay, registration: PluginRegistration) -> Replay:
        events = await self._archive.read(replay, registration.hooks, limit=BATCH)
        if not events:
            return replace(replay, done=True)
        marked = [_marked(event, replay) for event in events]
        if await self._publisher.send(marked, [replay.plugin_id]):
            logger.warning("replay %s waits: the bus did not take all of its events", replay.replay_id)
            return replay
        return replace(replay, replayed=replay.replayed + len(events), after=events[-1].id)


def _marked(event: Event, replay: Replay) -> Event:
    """Return ``event``, where it must have its effect again marked with the replay: hosts then know it by both ids."""
    if not replay.force:
        return event
    return replace(event, metadata={**event.metadata, "replay": replay.replay_id})
