"""The log of deliveries that an operator reads: one item an attempt, kept for seven days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugin_kit.erasures import digest_of
from plugin_kit.outcomes import Outcome

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

_KEPT: Final = timedelta(days=7)
_MAX_ENTRIES: Final = 25  # of one BatchWriteItem


class DeliveryLog:
    """The entries of ``plugin_id``. Where there is no ``table``, nothing is logged."""

    def __init__(self, client: DynamoDBClient, table: str, plugin_id: str) -> None:
        self._client = client
        self._table = table
        self._plugin_id = plugin_id

    def write(self, outcomes: Sequence[Outcome]) -> int:
        """Write the entries of ``outcomes``, and return how many DynamoDB had no capacity for."""
        unwritten = 0
        for start in range(0, len(outcomes) if self._table else 0, _MAX_ENTRIES):
            requests: list[WriteRequestTypeDef] = [
                {"PutRequest": {"Item": self._item(outcome)}} for outcome in outcomes[start : start + _MAX_ENTRIES]
            ]
            answer = self._client.batch_write_item(RequestItems={self._table: requests})
            unwritten += len(answer["UnprocessedItems"].get(self._table, ()))
        return unwritten

    def write_if_new(self, outcome: Outcome) -> bool:
        """Write the entry of ``outcome`` unless it is there, and return whether it may have been missing."""
        if not self._table:
            return True
        try:
            self._client.put_item(
                TableName=self._table, Item=self._item(outcome), ConditionExpression="attribute_not_exists(plugin_id)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _item(self, outcome: Outcome) -> dict[str, AttributeValueTypeDef]:
        item: dict[str, AttributeValueTypeDef] = {
            "plugin_id": {"S": self._plugin_id},
            "delivery_id": {"S": outcome.delivery_id},
            "event_id": {"S": outcome.event_id},
            "hook": {"S": outcome.hook},
            "result": {"S": outcome.result},
            "attempt": {"N": str(outcome.attempt)},
            "at": {"S": outcome.at.isoformat()},
            "expires_at": {"N": str(int((outcome.at + _KEPT).timestamp()))},
        }
        if outcome.milliseconds is not None:
            item["milliseconds"] = {"N": str(outcome.milliseconds)}
        if outcome.error is not None:
            item["error"] = {"S": outcome.error}
            if outcome.user_id is not None:  # by it an erasure finds what may tell of the user
                item["error_of"] = {"S": digest_of(outcome.user_id)}
        return item
