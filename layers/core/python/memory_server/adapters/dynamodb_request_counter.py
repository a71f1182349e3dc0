"""Requests counted in DynamoDB, an item a minute of each who is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_KEPT_SECONDS: Final = 3600


class DynamoDBRequestCounter:
    """A RequestCounter."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def add(self, name: str, minute: int) -> int:
        answer = await call(
            "request counter",
            self._client.update_item,
            TableName=self._table,
            Key={"counter": {"S": f"{name}#{minute}"}},
            UpdateExpression="ADD used :one SET expires_at = :end",
            ExpressionAttributeValues={":one": {"N": "1"}, ":end": {"N": str(minute * 60 + _KEPT_SECONDS)}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["used"].get("N", "0"))
