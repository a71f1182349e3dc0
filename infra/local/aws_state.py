"""What the emulator must not forget, hooked into ministack: the items of its tables, and its buckets.

This runs inside the emulator's process. ministack has no public door for it, so the names that are hooked are those of
the version that requirements-aws.txt pins.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeAlias, cast

from infra.local.aws_journal import Attributes, Change, Journal

# Vectors of queries. Losing them costs a moment; keeping them would make the journal grow with every search.
_NOT_KEPT: Final = "EmbeddingCache"

Properties: TypeAlias = Mapping[str, object]
Created: TypeAlias = "tuple[str, Mapping[str, str]]"
Handler: TypeAlias = Callable[..., Created]


class Table(Protocol):
    """A table of ministack's: a dict of what describes it and of its items."""

    def __getitem__(self, name: str) -> str: ...


class JournaledDynamoDb:
    """DynamoDB whose every change is in the journal before its answer leaves.

    ministack changes items through two functions alone. It handles a request in one go on the event loop, so what they
    did since the request before belongs to this one.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._changes: list[Change] = []
        self._dynamodb = vars(importlib.import_module("ministack.services.dynamodb"))
        self._set = cast(
            "Callable[[Table, object, object, Attributes], Attributes | None]", self._dynamodb["_set_item"]
        )
        self._remove = cast("Callable[[Table, object, object], Attributes | None]", self._dynamodb["_remove_item"])
        self._handle = cast("Callable[..., Awaitable[object]]", self._dynamodb["handle_request"])
        self._value = cast("Callable[[object], object]", self._dynamodb["_extract_key_val"])

    def install(self) -> None:
        """Take the place of ministack's own functions; tables that a stack makes get the items that they had."""
        self._dynamodb.update(
            _set_item=self._set_item, _remove_item=self._remove_item, handle_request=self._handle_request
        )
        self._create = _replace_create("AWS::DynamoDB::Table", self._create_table)

    def _set_item(self, table: Table, partition: object, sort: object, item: Attributes) -> Attributes | None:
        self._note(table, item, item)
        return self._set(table, partition, sort, item)

    def _remove_item(self, table: Table, partition: object, sort: object) -> Attributes | None:
        old = self._remove(table, partition, sort)
        if old is not None:
            self._note(table, old, None)
        return old

    def _note(self, table: Table, item: Attributes, state: Attributes | None) -> None:
        if _NOT_KEPT not in table["TableName"]:
            key = {name: item[name] for name in (table["pk_name"], table["sk_name"]) if name}
            self._changes.append(Change(table=table["TableName"], key=key, item=state))

    async def _handle_request(self, *request: object) -> object:
        answer = await self._handle(*request)
        if self._changes:
            changes, self._changes = self._changes, []
            self._journal.write(changes)
        return answer

    def _create_table(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        name, attributes = self._create(logical_id, properties, stack_name)
        table = cast("Mapping[str, Table]", self._dynamodb["_tables"])[name]
        for item in self._journal.items(name):
            sort = self._value(item[table["sk_name"]]) if table["sk_name"] else "__no_sort__"
            self._set(table, self._value(item[table["pk_name"]]), sort, item)
        return name, attributes


def keep_buckets() -> None:
    """Let a stack take a bucket that is on disk from the start before, where CloudFormation would refuse its name."""
    provisioners = vars(importlib.import_module("ministack.services.cloudformation.provisioners"))
    buckets = cast("Mapping[str, object]", vars(importlib.import_module("ministack.services.s3"))["_buckets"])
    physical_name = cast("Callable[..., str]", provisioners["_physical_name"])
    update = _handlers("AWS::S3::Bucket")["update"]

    def create_bucket(logical_id: str, properties: Properties, stack_name: str) -> Created:
        name = str(properties.get("BucketName") or physical_name(stack_name, logical_id, lowercase=True, max_len=63))
        named = {**properties, "BucketName": name}
        return update(name, {}, named, stack_name) if name in buckets else create(logical_id, named, stack_name)

    create = _replace_create("AWS::S3::Bucket", create_bucket)


def _replace_create(kind: str, create: Handler) -> Handler:
    """Let CloudFormation create resources of ``kind`` with ``create``; return what it used until now."""
    handlers = _handlers(kind)
    before, handlers["create"] = handlers["create"], create
    return before


def _handlers(kind: str) -> dict[str, Handler]:
    provisioners = vars(importlib.import_module("ministack.services.cloudformation.provisioners"))
    return cast("dict[str, dict[str, Handler]]", provisioners["_RESOURCE_HANDLERS"])[kind]
