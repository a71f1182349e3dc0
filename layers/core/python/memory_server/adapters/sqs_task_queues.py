"""Tasks on the plugins' queues on Amazon SQS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.domain.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_COMPONENT: Final = "plugin's queue"
_MAX_BATCH: Final = 10
_MAX_BYTES: Final = 256 * 1024


class SqsTaskQueues:
    """Implements plugin_tasks.TaskQueues."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    async def send(self, queue_url: str, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        for batch in _batches(bodies):
            answer = await call(
                _COMPONENT,
                self._client.send_message_batch,
                QueueUrl=queue_url,
                Entries=[
                    {"Id": str(number), "MessageBody": body, "DelaySeconds": delay_seconds}
                    for number, body in enumerate(batch)
                ],
            )
            if answer.get("Failed"):
                raise Unavailable(_COMPONENT)


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    """Yield the bodies in order, as many at once as SQS takes."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == _MAX_BATCH or size + length > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
