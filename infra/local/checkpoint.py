"""What the emulator's queues lose when it is killed, published again from the outbox, which keeps it for a week.

While the stack runs, a checkpoint notes a time such that every event published before it has left the queues, the
dead-letter queues included. The next start publishes again what was published since, however this one ended; the
plugins know by the event's id what they already had.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType

# A row's published_at is the time at which its transaction began; the event may have reached the bus so much later.
_MARGIN: Final = timedelta(seconds=60)
_BEFORE_ALL: Final = datetime.fromtimestamp(0, UTC)
_DEPTHS: Final[Sequence[QueueAttributeNameType]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Queues:
    """The plugins' queues and their dead-letter queues."""

    def __init__(self, sqs: SQSClient, urls: Sequence[str]) -> None:
        self._sqs = sqs
        self._urls = urls

    def are_empty(self) -> bool:
        """Return whether nothing waits in any of them, nor is being worked on."""
        return all(self._is_empty(url) for url in self._urls)

    def _is_empty(self, url: str) -> bool:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_DEPTHS)["Attributes"]
        return not any(int(value) for value in attributes.values())


def save(path: Path, queues: Queues) -> bool:
    """Note this moment at ``path`` if the queues are empty; return whether they are."""
    now = datetime.now(UTC)
    empty = queues.are_empty()
    if empty:
        new = path.with_suffix(".new")
        new.write_text(now.isoformat())
        new.replace(path)
    return empty


def publish_again(path: Path, dsn: str) -> int:
    """Give back to the relay the events of the database ``dsn`` that the queues may have lost; return how many.

    Without a checkpoint at ``path``, nothing is known to have left the queues.
    """
    since = datetime.fromisoformat(path.read_text()) - _MARGIN if path.exists() else _BEFORE_ALL
    with psycopg.connect(dsn) as connection:
        return connection.execute("UPDATE outbox SET published_at = NULL WHERE published_at >= %s", [since]).rowcount
