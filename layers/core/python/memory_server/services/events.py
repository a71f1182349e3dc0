"""Events on their way to the bus: after the commit and, under a server, after the response."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from memory_server.domain.errors import Unavailable
from memory_server.domain.principals import Principal
from memory_server.services.ports import Database
from memory_server.services.publisher import Publisher
from plugin_kit.envelope import Event

MAX_OBSERVATIONS: Final = 10_000

logger = logging.getLogger(__name__)


class Events:
    """The events that this process has yet to publish."""

    def __init__(self, publisher: Publisher, database: Database) -> None:
        self._publisher = publisher
        self._database = database
        self._changes: list[Event] = []
        self._observations: deque[Event] = deque(maxlen=MAX_OBSERVATIONS)
        self._pushed_out = 0
        self._flushing = False

    def observed(self, events: Sequence[Event]) -> None:
        """Take events of observation: best effort, lost when the process ends before ``flush``.

        Where too many wait, the oldest ones give way.
        """
        self._pushed_out += max(0, len(self._observations) + len(events) - MAX_OBSERVATIONS)
        self._observations.extend(events)

    def committed(self, events: Sequence[Event]) -> None:
        """Take events of change whose outbox rows are committed: the relay publishes what ``flush`` does not."""
        self._changes.extend(events)

    async def flush(self) -> None:
        """Publish all that was taken, and mark what was published in the outbox. Never raises: failures are logged.

        While one call publishes, another returns at once: the first goes on until nothing is left.
        """
        if self._flushing:
            return
        self._flushing = True
        try:
            while self._changes or self._observations:
                await self._publish_pending()
        except Exception:
            logger.exception("events were not published: the relay publishes those of change")
        finally:
            self._flushing = False

    async def _publish_pending(self) -> None:
        changes, self._changes = self._changes, []
        observations = list(self._observations)
        self._observations.clear()
        lost, self._pushed_out = self._pushed_out, 0
        try:
            refused = {event.id for event in await self._publisher.publish([*changes, *observations])}
        except Unavailable as error:
            logger.warning("events cannot be published: %s", error)
            refused = {event.id for event in (*changes, *observations)}
        lost += sum(event.id in refused for event in observations)
        if lost:
            logger.warning("%d events of observation are lost", lost)
        await self._mark([event for event in changes if event.id not in refused])

    async def _mark(self, published: Sequence[Event]) -> None:
        """Mark the events as published. Where it fails, the relay publishes them again and their ids tell."""
        for user_id, events in groupby(sorted(published, key=_user_of), key=_user_of):
            ids = [event.id for event in events]
            try:
                async with self._database.transaction(Principal(user_id)) as unit:
                    await unit.outbox.mark_published(ids)
            except Unavailable as error:
                logger.warning("%d published events were not marked: %s", len(ids), error)


def _user_of(event: Event) -> str:
    # An event of change has a user: its memory's.
    return event.user_id or ""
