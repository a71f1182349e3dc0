"""API keys in DynamoDB, an item a key; ``by_user`` leads from a user to theirs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.domain.errors import KeyNotFound
from memory_server.domain.keys import ApiKey
from memory_server.domain.principals import known_scopes
from memory_server.services.key_ports import KeyPage

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        QueryInputTypeDef,
        QueryOutputTypeDef,
        ScanInputTypeDef,
        ScanOutputTypeDef,
    )

_COMPONENT: Final = "sign-in"
_INDEX: Final = "by_user"


class DynamoDBKeys:
    """A KeyStore. DynamoDB removes a key some time after ``expires_at``; who asks for one compares the time."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    async def add(self, key: ApiKey) -> None:
        await call(
            _COMPONENT,
            self._client.put_item,
            TableName=self._table,
            Item=_item(key),
            ConditionExpression="attribute_not_exists(key_id)",
        )

    async def get(self, key_id: str) -> ApiKey | None:
        answer = await call(
            _COMPONENT, self._client.get_item, TableName=self._table, Key=_key(key_id), ConsistentRead=True
        )
        return _api_key(answer["Item"]) if "Item" in answer else None

    async def list(self, *, user_id: str | None, after: str | None, limit: int) -> KeyPage:
        return await call(_COMPONENT, partial(self._list, user_id, after, limit))

    async def set_secret(self, key_id: str, secret_sha256: bytes) -> ApiKey:
        return await call(_COMPONENT, partial(self._set_secret, key_id, secret_sha256))

    async def remove(self, key_id: str) -> None:
        await call(_COMPONENT, partial(self._remove, key_id))

    def _list(self, user_id: str | None, after: str | None, limit: int) -> KeyPage:
        answer = self._scan(after, limit) if user_id is None else self._query(user_id, after, limit)
        last = answer.get("LastEvaluatedKey")
        keys = tuple(_api_key(item) for item in answer["Items"])
        return KeyPage(keys, None if last is None else last["key_id"].get("S"))

    def _scan(self, after: str | None, limit: int) -> ScanOutputTypeDef:
        request: ScanInputTypeDef = {"TableName": self._table, "Limit": limit, "ConsistentRead": True}
        if after is not None:
            request["ExclusiveStartKey"] = _key(after)
        return self._client.scan(**request)

    def _query(self, user_id: str, after: str | None, limit: int) -> QueryOutputTypeDef:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": _INDEX,
            "KeyConditionExpression": "user_id = :user",
            "ExpressionAttributeValues": {":user": _text(user_id)},
            "Limit": limit,
        }
        if after is not None:
            request["ExclusiveStartKey"] = {**_key(after), "user_id": _text(user_id)}
        return self._client.query(**request)

    def _set_secret(self, key_id: str, secret_sha256: bytes) -> ApiKey:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(key_id),
                UpdateExpression="SET secret_sha256 = :hash",
                ConditionExpression="attribute_exists(key_id)",
                ExpressionAttributeValues={":hash": {"B": secret_sha256}},
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise KeyNotFound(key_id) from None
        return _api_key(answer["Attributes"])

    def _remove(self, key_id: str) -> None:
        try:
            self._client.delete_item(
                TableName=self._table, Key=_key(key_id), ConditionExpression="attribute_exists(key_id)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise KeyNotFound(key_id) from None


def _key(key_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"key_id": {"S": key_id}}


def _text(value: str) -> AttributeValueTypeDef:
    return {"S": value}


def _item(key: ApiKey) -> dict[str, AttributeValueTypeDef]:
    item: dict[str, AttributeValueTypeDef] = {
        **_key(key.key_id),
        "user_id": _text(key.user_id),
        "name": _text(key.name),
        "scopes": {"L": [_text(scope) for scope in sorted(key.scopes)]},
        "created_at": _text(key.created_at.isoformat()),
        "secret_sha256": {"B": key.secret_sha256},
    }
    if key.project is not None:
        item["project"] = _text(key.project)
    if key.expires_at is not None:
        item["expires_at"] = {"N": str(int(key.expires_at.timestamp()))}
    if key.requests_a_minute is not None:
        item["requests_a_minute"] = {"N": str(key.requests_a_minute)}
    return item


def _api_key(item: Mapping[str, AttributeValueTypeDef]) -> ApiKey:
    expires_at = item.get("expires_at", {}).get("N")
    requests = item.get("requests_a_minute", {}).get("N")
    return ApiKey(
        key_id=item["key_id"].get("S", ""),
        user_id=item["user_id"].get("S", ""),
        name=item["name"].get("S", ""),
        scopes=known_scopes(scope.get("S", "") for scope in item["scopes"].get("L", [])),
        created_at=datetime.fromisoformat(item["created_at"].get("S", "")),
        secret_sha256=bytes(item["secret_sha256"].get("B", b"")),
        project=item.get("project", {}).get("S"),
        expires_at=None if expires_at is None else datetime.fromtimestamp(int(expires_at), UTC),
        requests_a_minute=None if requests is None else int(requests),
    )
