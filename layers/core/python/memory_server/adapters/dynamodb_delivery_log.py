"""The log of deliveries in DynamoDB, which the hosts write (plugin_kit.delivery_log)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, get_args

from boto3.dynamodb.types import TypeDeserializer

from memory_server.adapters.aws import call
from memory_server.services.delivery_ports import Delivery, DeliveryPage, DeliveryResult
from plugin_kit.erasures import digest_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

# Where few deliveries have the result that is asked for, a page ends after so many others.
_MAX_PASSED_OVER: Final = 10_000
_READ_AT_ONCE: Final = 500
_AFTER_ALL: Final = "~"
_RESULTS: Final[Mapping[str, DeliveryResult]] = {result: result for result in get_args(DeliveryResult)}

_deserialize: Callable[[AttributeValueTypeDef], Any] = TypeDeserializer().deserialize


class DynamoDBDeliveryLog:
    """A DeliveryLog on the items of one plugin, whose sort key begins with the time."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def list(
        self, plugin_id: str, *, result: DeliveryResult | None, after: str | None, limit: int
    ) -> DeliveryPage:
        return await call("delivery log", partial(self._list, plugin_id, result, after, limit))

    async def erase(self, user_id: str) -> None:
        """Remove the errors of a user's events: they may quote what was in them. Raises: Unavailable."""
        await call("delivery log", partial(self._erase, digest_of(user_id)))

    def _erase(self, user_sha256: str) -> None:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_error_of",
            KeyConditionExpression="error_of = :user",
            ExpressionAttributeValues={":user": {"S": user_sha256}},
        )
        for item in [item for page in pages for item in page["Items"]]:
            self._client.update_item(
                TableName=self._table,
                Key={name: item[name] for name in ("plugin_id", "delivery_id")},
                UpdateExpression="REMOVE #error, error_of",
                ExpressionAttributeNames={"#error": "error"},
            )

    def _list(self, plugin_id: str, result: DeliveryResult | None, after: str | None, limit: int) -> DeliveryPage:
        deliveries: list[Delivery] = []
        passed_over = 0
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="plugin_id = :plugin_id AND delivery_id < :after",
            ExpressionAttributeValues={":plugin_id": {"S": plugin_id}, ":after": {"S": after or _AFTER_ALL}},
            ScanIndexForward=False,
            PaginationConfig={"PageSize": limit + 1 if result is None else _READ_AT_ONCE},
        )
        for page in pages:
            for item in page["Items"]:
                delivery = _delivery(item)
                if delivery is None or result not in (None, delivery.result):
                    passed_over += 1
                elif len(deliveries) == limit:
                    return DeliveryPage(deliveries, deliveries[-1].delivery_id)
                else:
                    deliveries.append(delivery)
                if passed_over == _MAX_PASSED_OVER:
                    return DeliveryPage(deliveries, item["delivery_id"].get("S"))
        return DeliveryPage(deliveries, None)


def _delivery(item: Mapping[str, AttributeValueTypeDef]) -> Delivery | None:
    """Return the delivery of ``item``, or None: items are the plugin's to write, so anything may stand there."""
    values = {name: _deserialize(value) for name, value in item.items()}
    milliseconds = values.get("milliseconds")
    try:
        return Delivery(
            delivery_id=values["delivery_id"],
            event_id=str(values["event_id"]),
            hook=str(values["hook"]),
            result=_RESULTS[values["result"]],
            attempt=int(values["attempt"]),
            at=datetime.fromisoformat(values["at"]).astimezone(UTC),
            milliseconds=None if milliseconds is None else int(milliseconds),
            error=None if values.get("error") is None else str(values["error"]),
        )
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return None
