"""The registry remembers plugins, and who enabled what, in DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from memory_server.adapters.dynamodb_plugins import DynamoDBPluginRegistry
from memory_server.domain.errors import PluginNotFound, Unavailable
from memory_server.services.plugin_ports import PluginStatistics
from tests.fixtures.aws import PLUGINS_TABLE, AwsStack, make_registration


async def test_a_registered_plugin_is_read_back_as_it_was(aws: AwsStack) -> None:
    registration = make_registration("analytics", permissions=("database:read", "database:write"), priority=7)
    await aws.registry().register(registration)
    assert await aws.registry().get("analytics") == registration


async def test_plugins_are_listed_by_id_even_where_one_read_does_not_hold_them_all(aws: AwsStack) -> None:
    registry = aws.registry()
    await registry.register(make_registration("plugin"))
    (item,) = aws.clients.dynamodb.scan(TableName=PLUGINS_TABLE)["Items"]
    ids = [f"plugin_{number:03}" for number in range(104)]
    for start in range(0, len(ids), 25):
        copies = [{**item, "plugin_id": {"S": plugin_id}} for plugin_id in ids[start : start + 25]]
        aws.clients.dynamodb.batch_write_item(
            RequestItems={PLUGINS_TABLE: [{"PutRequest": {"Item": copy}} for copy in copies]}
        )
    assert [plugin.plugin_id for plugin in await registry.list()] == ["plugin", *ids]


async def test_without_plugins_the_list_is_empty(aws: AwsStack) -> None:
    assert await aws.registry().list() == []


async def test_a_renewed_registration_keeps_the_enable_state_and_the_first_time(aws: AwsStack) -> None:
    registry = aws.registry()
    first = make_registration("analytics")
    await registry.register(first)
    await registry.set_enabled("analytics", False)
    renewed = replace(first, version="2.0.0", enabled=True, registered_at=first.registered_at + timedelta(days=1))
    await registry.register(renewed)
    assert await registry.get("analytics") == replace(first, version="2.0.0", enabled=False)


async def test_a_changed_enable_state_is_answered_and_seen_by_the_next_reads(aws: AwsStack) -> None:
    registry = aws.registry()
    registration = make_registration("analytics")
    await registry.register(registration)
    disabled = replace(registration, enabled=False)
    assert await registry.set_enabled("analytics", False) == disabled
    assert await registry.get("analytics") == disabled
    assert await registry.list() == [disabled]


async def test_a_plugin_that_is_not_there_can_be_neither_read_nor_enabled(aws: AwsStack) -> None:
    with pytest.raises(PluginNotFound):
        await aws.registry().get("nobody")
    with pytest.raises(PluginNotFound):
        await aws.registry().set_enabled("nobody", True)
    assert await aws.registry().list() == []


async def test_statistics_are_those_that_the_host_counted(aws: AwsStack) -> None:
    aws.clients.dynamodb.put_item(
        TableName=PLUGINS_TABLE,
        Item={
            "plugin_id": {"S": "analytics"},
            "record": {"S": "statistics"},
            "delivered": {"N": "41"},
            "failed": {"N": "1"},
            "last_delivered_at": {"S": "2026-11-22T12:00:00+00:00"},
            "last_error": {"S": "ValueError: no"},
            "last_error_at": {"S": "2026-11-22T11:00:00+00:00"},
        },
    )
    assert await aws.registry().statistics("analytics") == PluginStatistics(
        delivered=41,
        failed=1,
        last_delivered_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        last_error="ValueError: no",
        last_error_at=datetime(2026, 11, 22, 11, tzinfo=UTC),
    )


async def test_the_last_error_of_an_endpoint_is_kept_beside_what_the_host_counts(aws: AwsStack) -> None:
    first, last = datetime(2026, 11, 22, 11, tzinfo=UTC), datetime(2026, 11, 22, 12, tzinfo=UTC)
    await aws.registry().note_endpoint_error("analytics", "ada", "GET /counts: KeyError", first)
    await aws.registry().note_endpoint_error("analytics", "ada", "GET /counts: TimedOut", last)

    assert await aws.registry().statistics("analytics") == PluginStatistics(
        last_endpoint_error="GET /counts: TimedOut", last_endpoint_error_at=last
    )


async def test_a_plugin_that_nothing_was_delivered_to_has_empty_statistics(aws: AwsStack) -> None:
    assert await aws.registry().statistics("analytics") == PluginStatistics()


async def test_a_removed_plugin_leaves_nothing_behind(aws: AwsStack) -> None:
    registry = aws.registry()
    await registry.register(make_registration("analytics"))
    await registry.remove("analytics")
    await registry.remove("analytics")
    assert aws.clients.dynamodb.scan(TableName=PLUGINS_TABLE)["Items"] == []


async def test_without_its_table_the_registry_is_unavailable(aws: AwsStack) -> None:
    registry = DynamoDBPluginRegistry(aws.clients.dynamodb, "no-such-table")
    for call in (registry.list(), registry.get("analytics"), registry.set_enabled("analytics", True), registry.ping()):
        with pytest.raises(Unavailable, match="plugin state"):
            await call
    await aws.registry().ping()
