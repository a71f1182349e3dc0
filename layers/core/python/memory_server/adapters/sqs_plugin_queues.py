"""The plugins' queues on Amazon SQS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from memory_server.adapters.aws import call
from memory_server.services.plugin_ports import PluginRegistration, QueueDepth

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class SqsPluginQueues:
    """PluginQueues. SQS counts approximately: a figure may be some seconds old."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    async def depth(self, registration: PluginRegistration) -> QueueDepth:
        waiting, dead = await asyncio.gather(
            self._count(registration.queue_url), self._count(registration.dead_letter_queue_url)
        )
        return QueueDepth(waiting=waiting, dead=dead)

    async def _count(self, queue_url: str) -> int:
        """Return how many messages are in the queue, those in the hands of a consumer and the delayed ones included."""
        answer = await call(
            "plugin queues",
            self._client.get_queue_attributes,
            QueueUrl=queue_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )
        return sum(map(int, answer["Attributes"].values()))
