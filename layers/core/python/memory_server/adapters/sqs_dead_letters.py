"""The dead letters of plugins on Amazon SQS.

SQS could move them itself (StartMessageMoveTask), but no emulator can; and it could not tell those that failed again
from those that were there when the replay began.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from memory_server.adapters.aws import call
from memory_server.domain.errors import Unavailable
from memory_server.services.plugin_ports import PluginRegistration
from plugin_kit.json_types import JsonObject

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

_AT_ONCE: Final = 10
# Long enough to send what was received, short enough for the next minute to find what a crash left.
_HIDDEN_SECONDS: Final = 45
# So many can be looked at and shown again while they are hidden.
_MAX_OTHERS: Final = 2_000

logger = logging.getLogger(__name__)


class SqsDeadLetters:
    """A DeadLetters."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    async def move(self, registration: PluginRegistration, *, sent_before: datetime) -> int:
        return await call("plugin queues", partial(self._move, registration, sent_before.timestamp() * 1000))

    async def erase(self, registration: PluginRegistration, user_id: str) -> None:
        await call("plugin queues", partial(self._erase_where_there_is, registration.dead_letter_queue_url, user_id))

    def _erase_where_there_is(self, queue_url: str, user_id: str) -> None:
        try:
            self._erase(queue_url, user_id)
        except self._client.exceptions.QueueDoesNotExist:
            logger.info("there is no queue %s any more, so it holds nothing", queue_url)

    def _erase(self, queue_url: str, user_id: str) -> None:
        others: list[MessageTypeDef] = []
        try:
            # Each is hidden once it was looked at, so this ends when all were.
            while messages := self._client.receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=_HIDDEN_SECONDS,
                WaitTimeSeconds=1,
            ).get("Messages", []):
                for message in messages:
                    if _user_of(message) == user_id:
                        self._client.delete_message(QueueUrl=queue_url, ReceiptHandle=message.get("ReceiptHandle", ""))
                    else:
                        others.append(message)
                if len(others) > _MAX_OTHERS:
                    logger.error("more than %d dead letters wait in %s: replay or purge them", _MAX_OTHERS, queue_url)
                    raise Unavailable("dead-letter queue")
        finally:
            self._show(others, queue_url)

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
        for start in range(0, len(messages), _AT_ONCE):
            self._client.change_message_visibility_batch(
                QueueUrl=queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message.get("ReceiptHandle", ""), "VisibilityTimeout": 0}
                    for number, message in enumerate(messages[start : start + _AT_ONCE])
                ],
            )


def _user_of(message: MessageTypeDef) -> str | None:
    """Return whose the event or the task of ``message`` is; None is nobody's, or nobody can tell."""
    try:
        content = cast(JsonObject, json.loads(message.get("Body", "")))
        return cast("str | None", cast(JsonObject, content.get("detail", content)).get("user_id"))
    except (AttributeError, ValueError):
        return None


def _sent_at(message: MessageTypeDef) -> float:
    """Return when the message was sent at first, in milliseconds since the epoch."""
    return float(message.get("Attributes", {}).get("SentTimestamp", "0"))
