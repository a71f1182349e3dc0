"""A plugin keeps values for a while, under keys that no other plugin sees."""

from __future__ import annotations

import time

import pytest

from plugin_kit.erasures import digest_of
from plugin_kit.json_types import JsonValue
from tests.fixtures.aws import CACHE_TABLE, AwsStack
from tests.integration.gateway.conftest import Plugin


@pytest.mark.parametrize("value", [None, True, 1.5, "text", [1, {"a": None}], {"key": "\u20ac"}])
def test_a_value_comes_back_as_it_was_until_it_is_deleted(plugin: Plugin, value: JsonValue) -> None:
    assert plugin.ok("cache.set", key="k", value=value) is None
    assert plugin.ok("cache.get", key="k") == value
    plugin.ok("cache.set", key="k", value="another")
    assert plugin.ok("cache.get", key="k") == "another"
    assert plugin.ok("cache.delete", key="k") is None
    assert plugin.ok("cache.get", key="k") is None
    assert plugin.ok("cache.delete", key="k") is None


def test_a_plugin_sees_its_own_keys_alone(gateway: AwsStack, plugin: Plugin) -> None:
    other = Plugin(gateway, "other")
    other.register("cache")
    plugin.ok("cache.set", key="k", value="mine")
    assert other.ok("cache.get", key="k") is None
    assert other.ok("cache.get", key="analytics:k") is None
    other.ok("cache.delete", key="k")
    assert plugin.ok("cache.get", key="k") == "mine"


def test_no_key_of_a_plugin_is_one_of_the_server_s_cache(gateway: AwsStack, plugin: Plugin) -> None:
    gateway.clients.dynamodb.put_item(
        TableName=CACHE_TABLE, Item={"owner": {"S": digest_of("ana")}, "cache_key": {"S": "embedding:x"}}
    )
    assert plugin.ok("cache.get", key="embedding:x") is None


def test_a_value_that_has_expired_is_never_answered(plugin: Plugin) -> None:
    plugin.ok("cache.set", key="short", value=1, ttl_seconds=1)
    plugin.ok("cache.set", key="long", value=2, ttl_seconds=2)
    assert plugin.ok("cache.get", key="short") == 1
    time.sleep(1.05)
    assert (plugin.ok("cache.get", key="short"), plugin.ok("cache.get", key="long")) == (None, 2)


def test_dynamodb_is_told_when_it_may_forget_a_value(gateway: AwsStack, plugin: Plugin) -> None:
    now = time.time()
    plugin.ok("cache.set", key="k", value=1, ttl_seconds=60)
    (item,) = gateway.clients.dynamodb.scan(TableName=CACHE_TABLE)["Items"]
    assert now + 60 <= int(item["expires_at"].get("N", "")) <= time.time() + 61


def test_each_argument_that_is_wrong_is_named(plugin: Plugin) -> None:
    assert "key: is missing; value: is missing" in plugin.failed("cache.set")
    assert "key: must be 1 to 512 bytes long" in plugin.failed("cache.get", key="\u20ac" * 171)
    assert "value: must be at most 65536 bytes of JSON" in plugin.failed("cache.set", key="k", value="x" * 65536)
    for ttl_seconds in (0, 604801, 1.5, True):
        message = plugin.failed("cache.set", key="k", value=1, ttl_seconds=ttl_seconds)
        assert "ttl_seconds: must be a whole number from 1 to 604800" in message
