"""The plugins' queues on Amazon SQS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.services.plugin_ports import PluginRegistration, QueueDepth

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType


_VISIBLE: Final = "ApproximateNumberOfMessages"
_TAKEN: Final = "ApproximateNumberOfMessagesNotVisible"
_DELAYED: Final = "ApproximateNumberOfMessagesDelayed"


class SqsPluginQueues:
    """PluginQueues. SQS counts approximately: a figure may be some seconds old."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    async def depth(self, registration: PluginRegistration) -> QueueDepth:
        queue, dead = await asyncio.gather(
            self._counts(registration.queue_url), self._counts(registration.dead_letter_queue_url)
        )
        return QueueDepth(waiting=queue[_VISIBLE] + queue[_DELAYED], in_flight=queue[_TAKEN], dead=sum(dead.values()))

    async def _counts(self, queue_url: str) -> dict[str, int]:
        names: list[QueueAttributeNameType] = [_VISIBLE, _TAKEN, _DELAYED]
        answer = await call(
            "plugin queues", self._client.get_queue_attributes, QueueUrl=queue_url, AttributeNames=names
        )
        return {name: int(answer["Attributes"][name]) for name in names}
