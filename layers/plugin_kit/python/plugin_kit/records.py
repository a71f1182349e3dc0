"""What PLUGINS_TABLE holds of the host's own plugin: its enable state, and the statistics of its deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(slots=True)
class Tally:
    """What became of the deliveries of one batch; times are in UTC."""

    delivered: int = 0
    failed: int = 0
    last_delivered_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None

    def count_delivered(self) -> None:
        self.delivered += 1
        self.last_delivered_at = datetime.now(UTC)

    def count_failed(self, error: str) -> None:
        self.failed += 1
        self.last_error = error
        self.last_error_at = datetime.now(UTC)


class PluginRecords:
    """The records of ``plugin_id``; its role may touch no other plugin's."""

    def __init__(self, client: DynamoDBClient, table: str, plugin_id: str) -> None:
        self._client = client
        self._table = table
        self._plugin_id = plugin_id

    def is_enabled(self) -> bool:
        """Return the enable state by a consistent read; a plugin that is not registered is not enabled."""
        answer = self._client.get_item(
            TableName=self._table,
            Key=self._key("registration"),
            ConsistentRead=True,
            ProjectionExpression="#enabled",
            ExpressionAttributeNames={"#enabled": "enabled"},
        )
        return answer.get("Item", {}).get("enabled", {}).get("BOOL", False)

    def add(self, tally: Tally) -> None:
        """Add ``tally`` to the statistics, in one write."""
        assignments: dict[str, str | None] = {
            "last_delivered_at": _text(tally.last_delivered_at),
            "last_error": tally.last_error,
            "last_error_at": _text(tally.last_error_at),
        }
        given = {name: value for name, value in assignments.items() if value is not None}
        values: dict[str, AttributeValueTypeDef] = {f":{name}": {"S": value} for name, value in given.items()}
        setting = ", ".join(f"{name} = :{name}" for name in given)
        self._client.update_item(
            TableName=self._table,
            Key=self._key("statistics"),
            UpdateExpression=f"ADD delivered :delivered, failed :failed SET {setting}",
            ExpressionAttributeValues={
                ":delivered": {"N": str(tally.delivered)},
                ":failed": {"N": str(tally.failed)},
                **values,
            },
        )

    def _key(self, record: str) -> dict[str, AttributeValueTypeDef]:
        return {"plugin_id": {"S": self._plugin_id}, "record": {"S": record}}


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
