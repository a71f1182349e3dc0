"""Publishes the events of change that no process has published: those that a crash left in the outbox."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from memory_server.domain.errors import Unavailable
from memory_server.services.ports import Clock, OutboxBacklog
from memory_server.services.publisher import Publisher

BATCH: Final = 200
RETENTION: Final = timedelta(days=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RelayReport:
    """How many events a run published, and how many it forgot because they had been published long ago."""

    published: int
    pruned: int


class Relay:
    """Several may run at once: each claims events that no other holds."""

    def __init__(self, backlog: OutboxBacklog, publisher: Publisher, clock: Clock) -> None:
        self._backlog = backlog
        self._publisher = publisher
        self._clock = clock

    async def run(self, *, older_than: timedelta, has_time: Callable[[], bool]) -> RelayReport:
        """Publish what has waited for ``older_than``, until nothing is left, something fails, or time is up.

        Raises:
            Unavailable: the database does not answer.
        """
        published = 0
        while has_time() and (count := await self._publish_batch(older_than)):
            published += count
        pruned = await self._backlog.prune(published_before=self._clock.now() - RETENTION)
        return RelayReport(published, pruned)

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
