"""Sequences in DynamoDB: one item an event that plugins of several priorities wait for."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.adapters.large_events import LargeEvents
from memory_server.domain.errors import Unavailable
from memory_server.services.delivery_ports import EventSequence, Waves
from memory_server.services.ports import Erased
from plugin_kit.errors import EnvelopeError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_COMPONENT: Final = "event sequences"
_KEPT: Final = timedelta(days=7)

logger = logging.getLogger(__name__)


class DynamoDBEventSequences:
    """An EventSequences. ``waves`` shrink with every step, so their number tells how far a sequence is."""

    def __init__(self, client: DynamoDBClient, table: str, large_events: LargeEvents, erasures: Erased) -> None:
        self._client = client
        self._table = table
        self._large_events = large_events
        self._erasures = erasures

    async def start(self, sequence: EventSequence) -> frozenset[str]:
        detail = await self._large_events.write(sequence.event)
        pending = await call(_COMPONENT, partial(self._start, sequence, detail))
        if await self._erasures.gone(sequence.event.user_id, sequence.event.since):
            # The erasure may have been here before this was.
            await self.remove(sequence.event.id)
            return frozenset()
        return pending

    async def finish(self, event_id: str, plugin_id: str) -> EventSequence | None:
        item = await call(_COMPONENT, partial(self._finish, event_id, plugin_id))
        # A set without members is no attribute.
        return None if item is None or "pending" in item else await self._sequence(item)

    async def advance(self, before: EventSequence, after: EventSequence) -> bool:
        return await call(_COMPONENT, partial(self._advance, before, after))

    async def remove(self, event_id: str) -> None:
        await call(_COMPONENT, self._client.delete_item, TableName=self._table, Key=_key(event_id))

    async def erase(self, user_id: str) -> None:
        """Remove the events of a user that are under way. Raises: Unavailable."""
        await call(_COMPONENT, partial(self._erase, user_id))

    def _erase(self, user_id: str) -> None:
        for page in self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for item in page["Items"]:
                if json.loads(item["event"].get("S", "{}")).get("user_id") == user_id:
                    self._client.delete_item(TableName=self._table, Key={"event_id": item["event_id"]})

    async def overdue(self, now: datetime, *, limit: int) -> list[EventSequence]:
        # The table holds what is under way and nothing else, so reading all of it once a minute costs little.
        items = await call(_COMPONENT, partial(self._overdue, now, limit))
        found = [await self._readable(item) for item in items]
        return [sequence for sequence in found if sequence is not None]

    def _start(self, sequence: EventSequence, detail: str) -> frozenset[str]:
        event_id = sequence.event.id
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **_key(event_id),
                    "event": {"S": detail},
                    "pending": {"SS": sorted(sequence.pending)},
                    "waves": _waves(sequence.waves),
                    "deadline": _seconds(sequence.deadline),
                    "expires_at": _seconds(sequence.deadline + _KEPT),
                },
                ConditionExpression="attribute_not_exists(event_id)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            item = self._client.get_item(TableName=self._table, Key=_key(event_id), ConsistentRead=True).get("Item", {})
            return frozenset(item.get("pending", {}).get("SS", ()))
        return sequence.pending

    def _finish(self, event_id: str, plugin_id: str) -> Mapping[str, AttributeValueTypeDef] | None:
        try:
            return self._client.update_item(
                TableName=self._table,
                Key=_key(event_id),
                UpdateExpression="DELETE pending :plugins",
                ConditionExpression="contains(pending, :plugin)",
                ExpressionAttributeValues={":plugins": {"SS": [plugin_id]}, ":plugin": {"S": plugin_id}},
                ReturnValues="ALL_NEW",
            )["Attributes"]
        except self._client.exceptions.ConditionalCheckFailedException:
            return None

    def _advance(self, before: EventSequence, after: EventSequence) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(before.event.id),
                UpdateExpression="SET pending = :pending, waves = :waves, deadline = :deadline",
                ConditionExpression="attribute_exists(event_id) AND size(waves) = :number",
                ExpressionAttributeValues={
                    ":pending": {"SS": sorted(after.pending)},
                    ":waves": _waves(after.waves),
                    ":deadline": _seconds(after.deadline),
                    ":number": {"N": str(len(before.waves))},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _overdue(self, now: datetime, limit: int) -> list[Mapping[str, AttributeValueTypeDef]]:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="deadline <= :now",
            ExpressionAttributeValues={":now": _seconds(now)},
            ConsistentRead=True,
        )
        return list(islice((item for page in pages for item in page["Items"]), limit))

    async def _readable(self, item: Mapping[str, AttributeValueTypeDef]) -> EventSequence | None:
        """Return the sequence of ``item``; what cannot be read must not keep the others waiting."""
        try:
            return await self._sequence(item)
        except (EnvelopeError, Unavailable) as error:
            logger.error("the sequence of event %s waits: %s", item["event_id"].get("S"), error)  # noqa: TRY400  # its trace tells nothing
            return None

    async def _sequence(self, item: Mapping[str, AttributeValueTypeDef]) -> EventSequence:
        return EventSequence(
            event=await self._large_events.read(item["event"].get("S", "")),
            pending=frozenset(item.get("pending", {}).get("SS", ())),
            waves=tuple(
                tuple(plugin.get("S", "") for plugin in wave.get("L", ())) for wave in item["waves"].get("L", ())
            ),
            deadline=datetime.fromtimestamp(float(item["deadline"].get("N", "0")), UTC),
        )


def _key(event_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"event_id": {"S": event_id}}


def _waves(waves: Waves) -> AttributeValueTypeDef:
    return {"L": [{"L": [{"S": plugin_id} for plugin_id in wave]} for wave in waves]}


def _seconds(time: datetime) -> AttributeValueTypeDef:
    return {"N": str(int(time.timestamp()))}
