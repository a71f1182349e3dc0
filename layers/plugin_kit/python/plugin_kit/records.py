"""What PLUGINS_TABLE holds of the host's own plugin: its registration and config, read, and its statistics, written.

The plugin's role needs, with its own id as the leading key of every item (``dynamodb:LeadingKeys``):

- on PLUGINS_TABLE ``dynamodb:Query``, and ``dynamodb:UpdateItem`` of these attributes alone: plugin_id, record,
  delivered, failed, consecutive_failures, last_delivered_at, last_error, last_error_at, last_error_of, health,
  health_at, ms_1, ms_2, ms_5, ms_10, ms_20, ms_50, ms_100, ms_200, ms_500, ms_1000, ms_2000, ms_5000, ms_30000;
- on DELIVERIES_TABLE ``dynamodb:GetItem``, ``PutItem``, ``UpdateItem`` and ``DeleteItem`` (Powertools idempotency);
- on DELIVERY_LOG_TABLE ``dynamodb:BatchWriteItem`` and ``dynamodb:PutItem``;
- on ERASURES_TABLE, whose keys are of users, ``dynamodb:GetItem``.

Beside these: ``secretsmanager:GetSecretValue`` of its own secret, ``sqs:ReceiveMessage``, ``DeleteMessage``,
``GetQueueAttributes`` and ``ChangeMessageVisibility`` of its queue, ``s3:GetObject`` below events/,
``s3:GetObject``, ``PutObject``, ``DeleteObject`` and ``AbortMultipartUpload`` of its own files, and
``lambda:InvokeFunction`` of its alias of the gateway.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.tally import Tally

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class PluginState:
    """What the server says of the plugin now; a plugin that is not registered is not enabled."""

    enabled: bool = False
    log_level: str = "INFO"
    config: JsonObject = field(default_factory=dict[str, JsonValue])


class PluginRecords:
    """The records of ``plugin_id``; its role may touch no other plugin's."""

    def __init__(self, client: DynamoDBClient, table: str, plugin_id: str) -> None:
        self._client = client
        self._table = table
        self._plugin_id = plugin_id

    def read(self) -> PluginState:
        """Return the state by one consistent read."""
        answer = self._client.query(
            TableName=self._table,
            # In the order of their names: config, registration, and after them statistics, which is not asked for.
            KeyConditionExpression="plugin_id = :plugin_id AND #record <= :last",
            ProjectionExpression="#record, #enabled, log_level, #values",
            ExpressionAttributeNames={"#record": "record", "#enabled": "enabled", "#values": "values"},
            ExpressionAttributeValues={":plugin_id": {"S": self._plugin_id}, ":last": {"S": "registration"}},
            ConsistentRead=True,
        )
        records = {item["record"].get("S"): item for item in answer["Items"]}
        registration = records.get("registration", {})
        values = records.get("config", {}).get("values", {}).get("S", "{}")
        return PluginState(
            enabled=registration.get("enabled", {}).get("BOOL", False),
            log_level=registration.get("log_level", {}).get("S", "INFO"),
            config=cast(JsonObject, json.loads(values)),
        )

    def add(self, tally: Tally) -> int:
        """Add ``tally`` to the statistics in one write, and return how many failures in a row there are now."""
        values: dict[str, AttributeValueTypeDef] = {f":{name}": {"N": str(n)} for name, n in tally.add.items()}
        for name, value in tally.put.items():
            values[f":{name}"] = {"N": str(value)} if isinstance(value, int) else {"S": value}
        adding = ", ".join(f"{name} :{name}" for name in tally.add)
        putting = ", ".join(f"{name} = :{name}" for name in tally.put)
        answer = self._client.update_item(
            TableName=self._table,
            Key={"plugin_id": {"S": self._plugin_id}, "record": {"S": "statistics"}},
            UpdateExpression=f"ADD {adding} SET {putting}",
            ExpressionAttributeValues=values,
            ReturnValues="UPDATED_NEW",
        )
        return int(answer.get("Attributes", {}).get("consecutive_failures", {}).get("N", "0"))
