"""The dead letters of plugins on Amazon SQS.

SQS could move them itself (StartMessageMoveTask), but no emulator can; and it could not tell those that failed again
from those that were there when the replay began.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.services.plugin_ports import PluginRegistration

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

_AT_ONCE: Final = 10
# Long enough to send what was received, short enough for the next minute to find what a crash left.
_HIDDEN_SECONDS: Final = 45


class SqsDeadLetters:
    """A DeadLetters."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    async def move(self, registration: PluginRegistration, *, sent_before: datetime) -> int:
        return await call("plugin queues", partial(self._move, registration, sent_before.timestamp() * 1000))

    def _move(self, registration: PluginRegistration, sent_before: float) -> int:
        messages = self._client.receive_message(
            QueueUrl=registration.dead_letter_queue_url,
            MaxNumberOfMessages=_AT_ONCE,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=1,  # without it SQS asks some of its servers only, and may find nothing where there is
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        old = [message for message in messages if _sent_at(message) < sent_before]
        # What failed again since the replay began stays where it is.
        self._show([message for message in messages if message not in old], registration.dead_letter_queue_url)
        for message in old:
            self._client.send_message(QueueUrl=registration.queue_url, MessageBody=message.get("Body", ""))
            self._client.delete_message(
                QueueUrl=registration.dead_letter_queue_url, ReceiptHandle=message.get("ReceiptHandle", "")
            )
        return len(old)

    def _show(self, messages: Sequence[MessageTypeDef], queue_url: str) -> None:
        for message in messages:
            self._client.change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=message.get("ReceiptHandle", ""), VisibilityTimeout=0
            )


def _sent_at(message: MessageTypeDef) -> float:
    """Return when the message was sent at first, in milliseconds since the epoch."""
    return float(message.get("Attributes", {}).get("SentTimestamp", "0"))
