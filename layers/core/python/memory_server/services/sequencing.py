"""Events that go to plugins of several priorities, moved on from one priority to the next.

No event is lost on the way, whatever crashes: what a sequence says is pending may not have been published, so the relay
publishes it again when the deadline has passed, before it moves the sequence on. Plugins know by an event's id what
they already had.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from memory_server.services.delivery_ports import EventSequence, EventSequences, Waves
from memory_server.services.ports import Clock
from memory_server.services.publisher import WAVE_LIFETIME, Publisher

BATCH: Final = 100

logger = logging.getLogger(__name__)


class Sequencer:
    """The plugins of the next priority get an event when all those before them have finished, or are overdue."""

    def __init__(self, sequences: EventSequences, publisher: Publisher, clock: Clock) -> None:
        self._sequences = sequences
        self._publisher = publisher
        self._clock = clock

    async def finished(self, event_id: str, plugin_id: str) -> None:
        """Take note that the plugin is done with the event, for good or ill. To say so twice changes nothing.

        Raises:
            Unavailable: the state or the registry does not answer; the relay moves the event on when it is overdue.
        """
        sequence = await self._sequences.finish(event_id, plugin_id)
        if sequence is not None:
            await self._advance(sequence)

    async def advance_overdue(self, has_time: Callable[[], bool]) -> int:
        """Move on what has waited for longer than its deadline, and return how many events did.

        Raises:
            Unavailable: the state or the registry does not answer.
        """
        moved = 0
        while has_time():
            overdue = await self._sequences.overdue(self._clock.now(), limit=BATCH)
            done = [await self._advance_late(sequence) for sequence in overdue if has_time()]
            moved += sum(done)
            if not any(done):
                break
        return moved

    async def _advance_late(self, sequence: EventSequence) -> bool:
        if sequence.pending:
            logger.warning("plugins %s have not finished event %s in time", sorted(sequence.pending), sequence.event.id)
            if await self._publisher.send([sequence.event], sorted(sequence.pending)):
                return False
        return await self._advance(sequence)

    async def _advance(self, sequence: EventSequence) -> bool:
        """Give the event to the next ones that are enabled; return whether the bus took it."""
        event = sequence.event
        waves = await self._enabled(sequence)
        if len(waves) < 2:
            # Nobody waits for the last ones.
            if waves and await self._publisher.send([event], waves[0]):
                return False
            await self._sequences.remove(event.id)
            return True
        first, *later = waves
        following = replace(
            sequence, pending=frozenset(first), waves=tuple(later), deadline=self._clock.now() + WAVE_LIFETIME
        )
        # Written before it is published: a plugin may finish before this function does.
        if not await self._sequences.advance(sequence, following):
            return True
        return not await self._publisher.send([event], first, sequenced=True)

    async def _enabled(self, sequence: EventSequence) -> Waves:
        enabled = {plugin_id for wave in await self._publisher.subscribers(sequence.event.hook) for plugin_id in wave}
        waves = (tuple(plugin_id for plugin_id in wave if plugin_id in enabled) for wave in sequence.waves)
        return tuple(wave for wave in waves if wave)
