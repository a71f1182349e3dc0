"""The registry of plugins in DynamoDB: for each plugin a ``registration`` record and a ``statistics`` record.

The record ``config`` is another adapter's, and is removed with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from memory_server.adapters.aws import call
from memory_server.domain.errors import PluginNotFound, Unavailable
from memory_server.services.plugin_ports import LogLevel, PluginRegistration, PluginStatistics
from plugin_kit.erasures import digest_of
from plugin_kit.json_types import JsonValue, dumps
from plugin_kit.tally import LATENCY_BUCKETS

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemOutputTypeDef

_COMPONENT: Final = "plugin state"
_MAX_BATCH: Final = 100
_BATCH_ATTEMPTS: Final = 5
# What a renewed registration leaves as it is.
_KEPT: Final = frozenset({"enabled", "disabled_reason", "registered_at", "log_level"})
_MAX_DEPTH: Final = 32
_RECORDS: Final = ("registration", "statistics", "config", "replay")

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class DynamoDBPluginRegistry:
    """A PluginRegistry on the table of plugins and its index ``by_record``."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def list(self) -> list[PluginRegistration]:
        """Return the registrations by id. One that is being added may be missing for a moment: the index is behind."""
        items = await call(_COMPONENT, self._registrations)
        return sorted(map(_registration, items), key=lambda registration: registration.plugin_id)

    async def get(self, plugin_id: str) -> PluginRegistration:
        item = await self._record(plugin_id, "registration")
        if item is None:
            raise PluginNotFound(plugin_id)
        return _registration(item)

    async def register(self, registration: PluginRegistration) -> None:
        await call(_COMPONENT, self._register, registration.plugin_id, _attributes(registration))

    async def remove(self, plugin_id: str) -> None:
        for record in _RECORDS:
            await call(_COMPONENT, self._client.delete_item, TableName=self._table, Key=_key(plugin_id, record))

    async def set_enabled(self, plugin_id: str, enabled: bool, *, reason: str | None = None) -> PluginRegistration:
        values: dict[str, AttributeValueTypeDef] = {":enabled": {"BOOL": enabled}}
        if reason is None:
            changed = await self._change(plugin_id, "SET enabled = :enabled REMOVE disabled_reason", values)
            if enabled:
                await self._forget_failures(plugin_id)
            return changed
        values[":reason"] = {"S": reason}
        return await self._change(plugin_id, "SET enabled = :enabled, disabled_reason = :reason", values)

    async def set_log_level(self, plugin_id: str, level: LogLevel) -> PluginRegistration:
        return await self._change(plugin_id, "SET log_level = :level", {":level": {"S": level}})

    async def statistics(self, plugin_id: str) -> PluginStatistics:
        return _statistics(await self._record(plugin_id, "statistics") or {})

    async def erase(self, user_id: str) -> None:
        """Remove from all statistics the last errors, where they are of a user's. Raises: Unavailable."""
        for registration in await self.list():
            for error in ("last_error", "last_endpoint_error"):
                await call(_COMPONENT, self._erase, registration.plugin_id, error, digest_of(user_id))

    def _erase(self, plugin_id: str, error: str, user_sha256: str) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(plugin_id, "statistics"),
                UpdateExpression=f"REMOVE {error}, {error}_of",
                ConditionExpression=f"{error}_of = :user",
                ExpressionAttributeValues={":user": {"S": user_sha256}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    async def note_endpoint_error(self, plugin_id: str, user_id: str, message: str, at: datetime) -> None:
        await call(
            _COMPONENT,
            self._client.update_item,
            TableName=self._table,
            Key=_key(plugin_id, "statistics"),
            UpdateExpression=(
                "SET last_endpoint_error = :message, last_endpoint_error_at = :at, last_endpoint_error_of = :of"
            ),
            ExpressionAttributeValues={
                ":message": {"S": message},
                ":at": {"S": at.isoformat()},
                ":of": {"S": digest_of(user_id)},
            },
        )

    async def ping(self) -> None:
        # A read of data, not of the table's description: that is what requests need, and it has no quota of its own.
        await self._record("ping", "registration")

    async def _forget_failures(self, plugin_id: str) -> None:
        """Let the plugin fail as often as any other before it is switched off again."""
        await call(
            _COMPONENT,
            self._client.update_item,
            TableName=self._table,
            Key=_key(plugin_id, "statistics"),
            UpdateExpression="SET consecutive_failures = :none",
            ExpressionAttributeValues={":none": {"N": "0"}},
        )

    async def _record(self, plugin_id: str, record: str) -> Mapping[str, object] | None:
        answer = await call(
            _COMPONENT, self._client.get_item, TableName=self._table, Key=_key(plugin_id, record), ConsistentRead=True
        )
        return _plain(answer["Item"]) if "Item" in answer else None

    def _registrations(self) -> Sequence[Mapping[str, object]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_record",
            KeyConditionExpression="#record = :record",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":record": {"S": "registration"}},
        )
        keys = [{name: item[name] for name in ("plugin_id", "record")} for page in pages for item in page["Items"]]
        return [
            _plain(item)
            for start in range(0, len(keys), _MAX_BATCH)
            for item in self._batch_get(keys[start : start + _MAX_BATCH])
        ]

    def _batch_get(
        self, keys: Sequence[Mapping[str, AttributeValueTypeDef]]
    ) -> Sequence[Mapping[str, AttributeValueTypeDef]]:
        items: list[Mapping[str, AttributeValueTypeDef]] = []
        for _ in range(_BATCH_ATTEMPTS):
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            items += answer["Responses"].get(self._table, [])
            keys = answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]
            if not keys:
                return items
        raise Unavailable(_COMPONENT)

    def _register(self, plugin_id: str, values: Mapping[str, object]) -> None:
        try:
            self._set(plugin_id, values, "attribute_not_exists(plugin_id)")
        except self._client.exceptions.ConditionalCheckFailedException:
            renewed = {name: value for name, value in values.items() if name not in _KEPT}
            self._set(plugin_id, renewed, "attribute_exists(plugin_id)")

    def _set(self, plugin_id: str, values: Mapping[str, object], condition: str) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        self._client.update_item(
            TableName=self._table,
            Key=_key(plugin_id, "registration"),
            UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in given)}",
            ConditionExpression=condition,
            ExpressionAttributeNames={f"#{name}": name for name in given},
            ExpressionAttributeValues={f":{name}": _serialize(value) for name, value in given.items()},
        )

    async def _change(
        self, plugin_id: str, expression: str, values: Mapping[str, AttributeValueTypeDef]
    ) -> PluginRegistration:
        answer = await call(_COMPONENT, self._update, plugin_id, expression, values)
        return _registration(_plain(answer["Attributes"]))

    def _update(
        self, plugin_id: str, expression: str, values: Mapping[str, AttributeValueTypeDef]
    ) -> UpdateItemOutputTypeDef:
        try:
            return self._client.update_item(
                TableName=self._table,
                Key=_key(plugin_id, "registration"),
                UpdateExpression=expression,
                ConditionExpression="attribute_exists(plugin_id)",
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise PluginNotFound(plugin_id) from None


def _key(plugin_id: str, record: str) -> dict[str, AttributeValueTypeDef]:
    return {"plugin_id": {"S": plugin_id}, "record": {"S": record}}


def _attributes(registration: PluginRegistration) -> dict[str, object]:
    """Return the attributes of a registration besides its key. The manifest is JSON text: DynamoDB knows no floats."""
    return {
        "name": registration.name,
        "version": registration.version,
        "description": registration.description,
        "author": registration.author,
        "hooks": list(registration.hooks),
        "priority": registration.priority,
        "permissions": list(registration.permissions),
        "enabled": registration.enabled,
        "registered_at": registration.registered_at.isoformat(),
        "function_arn": registration.function_arn,
        "queue_url": registration.queue_url,
        "dead_letter_queue_url": registration.dead_letter_queue_url,
        "manifest": dumps(registration.manifest),
        "disabled_reason": registration.disabled_reason,
        "log_level": registration.log_level,
    }


def _registration(item: Mapping[str, object]) -> PluginRegistration:
    return PluginRegistration(
        plugin_id=str(item["plugin_id"]),
        name=str(item["name"]),
        version=str(item["version"]),
        description=str(item["description"]),
        author=str(item["author"]),
        hooks=tuple(cast("list[str]", item["hooks"])),
        priority=int(cast(int, item["priority"])),
        permissions=tuple(cast("list[str]", item["permissions"])),
        enabled=bool(item["enabled"]),
        registered_at=datetime.fromisoformat(str(item["registered_at"])),
        function_arn=str(item["function_arn"]),
        queue_url=str(item["queue_url"]),
        dead_letter_queue_url=str(item["dead_letter_queue_url"]),
        manifest=json.loads(str(item["manifest"])),
        disabled_reason=cast("str | None", item.get("disabled_reason")),
        log_level=cast("LogLevel", item.get("log_level", "INFO")),
    )


def _statistics(item: Mapping[str, object]) -> PluginStatistics:
    """Return the statistics of ``item``. It is the plugin's to write: what makes no sense there counts for nothing."""
    return PluginStatistics(
        delivered=_number(item.get("delivered")),
        failed=_number(item.get("failed")),
        consecutive_failures=_number(item.get("consecutive_failures")),
        last_delivered_at=_time(item.get("last_delivered_at")),
        last_error=_text(item.get("last_error")),
        last_error_at=_time(item.get("last_error_at")),
        last_endpoint_error=_text(item.get("last_endpoint_error")),
        last_endpoint_error_at=_time(item.get("last_endpoint_error_at")),
        latencies={bound: _number(item.get(f"ms_{bound}")) for bound in LATENCY_BUCKETS if f"ms_{bound}" in item},
        health=_json(item.get("health")),
        health_at=_time(item.get("health_at")),
    )


def _plain(item: Mapping[str, AttributeValueTypeDef]) -> dict[str, object]:
    return {name: _deserialize(value) for name, value in item.items()}


def _number(value: object) -> int:
    return int(value) if isinstance(value, Decimal) and value.is_finite() else 0


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def _json(value: object) -> JsonValue:
    """Return the JSON of a text, None where an answer of the server could not hold it."""
    try:
        parsed: JsonValue = json.loads(str(value))
        dumps(parsed).encode()  # NaN, half of a surrogate pair
    except (RecursionError, ValueError):
        return None
    return parsed if _is_flat(parsed, _MAX_DEPTH) else None


def _is_flat(value: JsonValue, depth: int) -> bool:
    """Return whether ``value`` is nested at most ``depth`` levels deep."""
    if isinstance(value, Mapping):
        value = list(value.values())
    return not isinstance(value, list) or (depth > 0 and all(_is_flat(item, depth - 1) for item in value))
