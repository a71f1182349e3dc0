"""Vectors of queries in DynamoDB, for as long as their time to live."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from memory_server.adapters.aws import call
from memory_server.domain.memories import Vector
from memory_server.domain.vectors import pack, unpack

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SECONDS_TO_LIVE: Final = 7 * 24 * 3600

logger = logging.getLogger(__name__)


class DynamoDBEmbeddingCache:
    """An EmbeddingCache. Where the table is away it holds nothing; the log says so once, until it is back."""

    def __init__(self, client: DynamoDBClient, table: str, seconds_to_live: int = SECONDS_TO_LIVE) -> None:
        self._client = client
        self._table = table
        self._seconds_to_live = seconds_to_live
        self._away = False

    async def get(self, key: str) -> Vector | None:
        return await asyncio.to_thread(self._get, key)

    async def put(self, key: str, vector: Vector) -> None:
        await asyncio.to_thread(self._put, key, pack(vector))

    async def forget(self, prefix: str) -> None:
        """Remove what is under keys that begin with ``prefix``. Raises: Unavailable."""
        await call("embedding cache", self._forget, prefix)

    def _forget(self, prefix: str) -> None:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ProjectionExpression="cache_key",
            FilterExpression="begins_with(cache_key, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": prefix}},
        )
        for page in pages:
            for item in page["Items"]:
                self._client.delete_item(TableName=self._table, Key={"cache_key": item["cache_key"]})

    def _get(self, key: str) -> Vector | None:
        try:
            response = self._client.get_item(TableName=self._table, Key={"cache_key": {"S": key}})
            self._away = False
            item = response.get("Item")
            # DynamoDB removes an expired item within days, not at once.
            if item is None or int(item["expires_at"].get("N", 0)) <= time.time():
                return None
            return unpack(bytes(item["vector"].get("B", b"")))
        except (BotoCoreError, ClientError, KeyError, ValueError) as error:
            self._note(error)
            return None

    def _put(self, key: str, data: bytes) -> None:
        expires_at = str(int(time.time()) + self._seconds_to_live)
        try:
            self._client.put_item(
                TableName=self._table,
                Item={"cache_key": {"S": key}, "vector": {"B": data}, "expires_at": {"N": expires_at}},
            )
            self._away = False
        except (BotoCoreError, ClientError) as error:
            self._note(error)

    def _note(self, error: Exception) -> None:
        if not self._away:
            self._away = True
            logger.warning("the embedding cache is away, so queries are embedded anew: %s", error)
