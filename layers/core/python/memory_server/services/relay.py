"""What needs doing though nobody asked: a crash's events published, late ones moved on, replays carried through."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from memory_server.domain.errors import Unavailable
from memory_server.services.plugin_replay import Replayer
from memory_server.services.ports import Clock, OutboxBacklog
from memory_server.services.publisher import Publisher
from memory_server.services.sequencing import Sequencer

BATCH: Final = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RelayReport:
    """How many events a run published, moved on to the next plugins, replayed, and forgot because they are old.

    ``unreadable`` events wait for the version of the server that wrote them.
    """

    published: int = 0
    advanced: int = 0
    replayed: int = 0
    pruned: int = 0
    unreadable: int = 0


class Relay:
    """Several may run at once: each claims events that no other holds."""

    def __init__(
        self,
        backlog: OutboxBacklog,
        publisher: Publisher,
        sequencer: Sequencer,
        replayer: Replayer,
        clock: Clock,
        *,
        retention: timedelta,
    ) -> None:
        self._backlog = backlog
        self._publisher = publisher
        self._sequencer = sequencer
        self._replayer = replayer
        self._clock = clock
        self._retention = retention

    async def run(self, *, older_than: timedelta, has_time: Callable[[], bool]) -> RelayReport:
        """Publish what has waited for ``older_than``, until nothing is left, something fails, or time is up.

        Then move on the events whose plugins have not finished in time, and go on with replays.

        Raises:
            Unavailable: the database does not answer.
        """
        published = 0
        while has_time() and (count := await self._publish_batch(older_than)):
            published += count
        advanced = await _unless_away("sequences", self._sequencer.advance_overdue(has_time))
        replayed = await self.replay(has_time)
        unreadable = await self._backlog.count_unreadable()
        if unreadable:
            logger.warning("%d events wait for the version of the server that knows their hooks", unreadable)
        pruned = await self._backlog.prune(happened_before=self._clock.now() - self._retention)
        return RelayReport(published, advanced, replayed, pruned, unreadable)

    async def replay(self, has_time: Callable[[], bool]) -> int:
        """Go on with the replays alone, and return how many events are on their way again."""
        return await _unless_away("replays", self._replayer.run(has_time))

    async def _publish_batch(self, older_than: timedelta) -> int:
        """Return how many events were published; 0 where none is left or none can be published."""
        try:
            async with self._backlog.claim(older_than=self._clock.now() - older_than, limit=BATCH) as events:
                refused = {event.id for event in await self._publisher.publish(events)} if events else set[str]()
                # What the bus refuses waits for the next run, and holds up nothing that is behind it.
                events[:] = [event for event in events if event.id not in refused]
                return len(events)
        except Unavailable as error:
            logger.warning("the outbox waits: %s", error)
            return 0


async def _unless_away(name: str, task: Awaitable[int]) -> int:
    """Return what ``task`` gives, and 0 where what it needs does not answer: the next minute tries again."""
    try:
        return await task
    except Unavailable as error:
        logger.warning("the %s wait: %s", name, error)
        return 0
