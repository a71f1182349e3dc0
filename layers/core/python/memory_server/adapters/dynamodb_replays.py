"""Replays in the table of plugins: for each plugin a ``replay`` record, of its last one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, cast

from memory_server.adapters.aws import call
from memory_server.domain.errors import ReplayRunning
from memory_server.services.delivery_ports import Replay

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_COMPONENT: Final = "plugin state"
_RECORD: Final = "replay"


class DynamoDBReplays:
    """A Replays."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def start(self, replay: Replay) -> None:
        await call(_COMPONENT, partial(self._start, replay))

    async def get(self, plugin_id: str) -> Replay | None:
        answer = await call(
            _COMPONENT, self._client.get_item, TableName=self._table, Key=_key(plugin_id), ConsistentRead=True
        )
        return _replay(answer["Item"]) if "Item" in answer else None

    async def running(self) -> list[Replay]:
        plugin_ids = await call(_COMPONENT, self._plugin_ids)
        replays = [await self.get(plugin_id) for plugin_id in plugin_ids]
        return [replay for replay in replays if replay is not None and not replay.done]

    async def save(self, replay: Replay) -> None:
        await call(_COMPONENT, partial(self._save, replay))

    def _plugin_ids(self) -> list[str]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_record",
            KeyConditionExpression="#record = :record",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":record": {"S": _RECORD}},
        )
        return [item["plugin_id"].get("S", "") for page in pages for item in page["Items"]]

    def _save(self, replay: Replay) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(replay.plugin_id),
                UpdateExpression="SET done = :done, replayed = :replayed, #after = :after",
                ConditionExpression="replay_id = :replay_id",
                ExpressionAttributeNames={"#after": "after"},
                ExpressionAttributeValues={
                    ":done": {"BOOL": replay.done},
                    ":replayed": {"N": str(replay.replayed)},
                    ":after": _text(replay.after),
                    ":replay_id": {"S": replay.replay_id},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _start(self, replay: Replay) -> None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **_key(replay.plugin_id),
                    "replay_id": {"S": replay.replay_id},
                    "source": {"S": replay.source},
                    "started_at": {"S": replay.started_at.isoformat()},
                    "since": _text(None if replay.since is None else replay.since.isoformat()),
                    "until": _text(None if replay.until is None else replay.until.isoformat()),
                    "force": {"BOOL": replay.force},
                    "done": {"BOOL": replay.done},
                    "replayed": {"N": str(replay.replayed)},
                    "after": _text(replay.after),
                },
                # One that is done makes room for the next.
                ConditionExpression="attribute_not_exists(plugin_id) OR done = :done",
                ExpressionAttributeValues={":done": {"BOOL": True}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise ReplayRunning(replay.plugin_id) from None


def _key(plugin_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"plugin_id": {"S": plugin_id}, "record": {"S": _RECORD}}


def _text(value: str | None) -> AttributeValueTypeDef:
    return {"NULL": True} if value is None else {"S": value}


def _replay(item: Mapping[str, AttributeValueTypeDef]) -> Replay:
    return Replay(
        replay_id=item["replay_id"].get("S", ""),
        plugin_id=item["plugin_id"].get("S", ""),
        source=cast("Literal['dead_letters', 'archive']", item["source"].get("S")),
        started_at=datetime.fromisoformat(item["started_at"].get("S", "")),
        since=_time(item["since"]),
        until=_time(item["until"]),
        force=item["force"].get("BOOL", False),
        done=item["done"].get("BOOL", False),
        replayed=int(item["replayed"].get("N", "0")),
        after=item["after"].get("S"),
    )


def _time(value: AttributeValueTypeDef) -> datetime | None:
    return datetime.fromisoformat(value["S"]) if "S" in value else None
