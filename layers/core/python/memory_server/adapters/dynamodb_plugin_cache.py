"""What plugins keep for a while, in the table of caches: under ``plugin:<id>:<key>``."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.adapters.dynamodb_cache import entry_key
from plugin_kit.json_types import JsonValue, dumps

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_COMPONENT: Final = "plugin cache"


class DynamoDBPluginCache:
    """A PluginCache. A plugin's id holds no colon, so no key of one plugin is one of another."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def get(self, plugin_id: str, user_id: str | None, key: str) -> JsonValue:
        answer = await call(
            _COMPONENT,
            self._client.get_item,
            TableName=self._table,
            Key=_key(plugin_id, user_id, key),
            ConsistentRead=True,
        )
        item = answer.get("Item", {})
        # DynamoDB removes an expired item within days, not at once.
        if float(item.get("fresh_until", {}).get("N", "0")) <= time.time():
            return None
        return json.loads(item["value"].get("S", "null"))

    async def set(self, plugin_id: str, user_id: str | None, key: str, value: JsonValue, *, ttl_seconds: int) -> None:
        fresh_until = time.time() + ttl_seconds
        await call(
            _COMPONENT,
            self._client.put_item,
            TableName=self._table,
            Item={
                **_key(plugin_id, user_id, key),
                "value": {"S": dumps(value)},
                # To the millisecond, for a TTL of a second; what DynamoDB goes by must be whole.
                "fresh_until": {"N": f"{fresh_until:.3f}"},
                "expires_at": {"N": str(math.ceil(fresh_until))},
            },
        )

    async def delete(self, plugin_id: str, user_id: str | None, key: str) -> None:
        await call(_COMPONENT, self._client.delete_item, TableName=self._table, Key=_key(plugin_id, user_id, key))


def _key(plugin_id: str, user_id: str | None, key: str) -> dict[str, AttributeValueTypeDef]:
    return entry_key(user_id, f"plugin:{plugin_id}:{key}")
