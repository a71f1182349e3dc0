"""Events on their way to the bus: after the commit and, under a server, after the response."""

from __future__ import annotations

from collections.abc import Sequence

from plugin_kit.envelope import Event


class Events:
    """The events that this process has yet to publish."""

    def observed(self, events: Sequence[Event]) -> None:
        """Take events of observation: best effort, lost when the process ends before ``flush``."""
        raise NotImplementedError

    def committed(self, events: Sequence[Event]) -> None:
        """Take events of change whose outbox rows are committed: the relay publishes what ``flush`` does not."""
        raise NotImplementedError

    async def flush(self) -> None:
        """Publish all that was taken, and mark what was published in the outbox. Never raises: failures are logged."""
        raise NotImplementedError
