"""The table of caches: vectors of queries, and what plugins keep for a while. Each user's entries are a partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from plugin_kit.erasures import digest_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_NOBODY: Final = "nobody"  # no digest


def entry_key(user_id: str | None, key: str) -> dict[str, AttributeValueTypeDef]:
    """Return the key of the user's entry ``key``; None stands for no user."""
    return {"owner": {"S": _NOBODY if user_id is None else digest_of(user_id)}, "cache_key": {"S": key}}


class DynamoDBCache:
    """A UserData: all that the caches have of a user."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def erase(self, user_id: str) -> None:
        await call("cache", self._erase, digest_of(user_id))

    def _erase(self, owner: str) -> None:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": owner}},
            ProjectionExpression="#owner, cache_key",
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                self._client.delete_item(TableName=self._table, Key=item)
