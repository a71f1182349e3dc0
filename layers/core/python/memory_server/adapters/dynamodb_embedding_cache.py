"""Vectors of queries in DynamoDB, for as long as their time to live."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from memory_server.adapters.dynamodb_cache import entry_key
from memory_server.domain.memories import Vector
from memory_server.domain.vectors import pack, unpack

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

SECONDS_TO_LIVE: Final = 7 * 24 * 3600

logger = logging.getLogger(__name__)


class DynamoDBEmbeddingCache:
    """An EmbeddingCache. Where the table is away it holds nothing; the log says so once, until it is back."""

    def __init__(self, client: DynamoDBClient, table: str, seconds_to_live: int = SECONDS_TO_LIVE) -> None:
        self._client = client
        self._table = table
        self._seconds_to_live = seconds_to_live
        self._away = False

    async def get(self, user_id: str, key: str) -> Vector | None:
        return await asyncio.to_thread(self._get, entry_key(user_id, key))

    async def put(self, user_id: str, key: str, vector: Vector) -> None:
        await asyncio.to_thread(self._put, entry_key(user_id, key), pack(vector))

    def _get(self, key: dict[str, AttributeValueTypeDef]) -> Vector | None:
        try:
            response = self._client.get_item(TableName=self._table, Key=key)
            self._away = False
            item = response.get("Item")
            # DynamoDB removes an expired item within days, not at once.
            if item is None or int(item["expires_at"].get("N", 0)) <= time.time():
                return None
            return unpack(bytes(item["vector"].get("B", b"")))
        except (BotoCoreError, ClientError, KeyError, ValueError) as error:
            self._note(error)
            return None

    def _put(self, key: dict[str, AttributeValueTypeDef], data: bytes) -> None:
        expires_at = str(int(time.time()) + self._seconds_to_live)
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**key, "vector": {"B": data}, "expires_at": {"N": expires_at}},
            )
            self._away = False
        except (BotoCoreError, ClientError) as error:
            self._note(error)

    def _note(self, error: Exception) -> None:
        if not self._away:
            self._away = True
            logger.warning("the embedding cache is away, so queries are embedded anew: %s", error)
