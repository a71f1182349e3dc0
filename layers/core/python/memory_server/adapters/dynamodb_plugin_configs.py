"""The config of each plugin in DynamoDB: the ``config`` record of the table of plugins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.services.plugin_ports import PluginConfig
from plugin_kit.json_types import JsonObject, dumps

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_COMPONENT: Final = "plugin state"


class DynamoDBPluginConfigs:
    """PluginConfigs. Both attributes are JSON text, for DynamoDB knows no floats; a plugin's host reads ``values``."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def get(self, plugin_id: str) -> PluginConfig:
        answer = await call(
            _COMPONENT, self._client.get_item, TableName=self._table, Key=_key(plugin_id), ConsistentRead=True
        )
        return _config(answer.get("Item", {}))

    async def put(
        self, plugin_id: str, *, values: JsonObject | None = None, schedules: Mapping[str, str] | None = None
    ) -> PluginConfig:
        given = {name: value for name, value in (("values", values), ("schedules", schedules)) if value is not None}
        if not given:
            return await self.get(plugin_id)
        answer = await call(
            _COMPONENT,
            self._client.update_item,
            TableName=self._table,
            Key=_key(plugin_id),
            UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in given)}",
            ExpressionAttributeNames={f"#{name}": name for name in given},
            ExpressionAttributeValues={f":{name}": {"S": dumps(value)} for name, value in given.items()},
            ReturnValues="ALL_NEW",
        )
        return _config(answer["Attributes"])


def _key(plugin_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"plugin_id": {"S": plugin_id}, "record": {"S": "config"}}


def _config(item: Mapping[str, AttributeValueTypeDef]) -> PluginConfig:
    return PluginConfig(values=_object(item, "values"), schedules=_object(item, "schedules"))


def _object(item: Mapping[str, AttributeValueTypeDef], name: str) -> dict[str, str]:
    return json.loads(item.get(name, {}).get("S", "{}"))
