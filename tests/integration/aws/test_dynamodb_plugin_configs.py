"""What operators set for a plugin is kept as it was given, through the renewals of its registration."""

from __future__ import annotations

import pytest

from memory_server.adapters.dynamodb_plugin_configs import DynamoDBPluginConfigs
from memory_server.domain.errors import PluginNotFound
from memory_server.services.plugin_ports import PluginConfig
from plugin_kit.json_types import JsonObject
from tests.fixtures.aws import PLUGINS_TABLE, AwsStack, make_registration


def configs(aws: AwsStack) -> DynamoDBPluginConfigs:
    return DynamoDBPluginConfigs(aws.clients.dynamodb, PLUGINS_TABLE)


async def test_a_plugin_that_nothing_was_set_for_has_an_empty_config(aws: AwsStack) -> None:
    assert await configs(aws).get("reports") == PluginConfig()
    assert await configs(aws).put("reports") == PluginConfig()


async def test_what_is_given_is_replaced_and_the_rest_stays(aws: AwsStack) -> None:
    values: JsonObject = {"ratio": 0.1, "none": None, "": [], "big": 10**30}
    assert await configs(aws).put("reports", values=values) == PluginConfig(values=values)
    both = PluginConfig(values=values, schedules={"nightly": "rate(1 day)"})
    assert await configs(aws).put("reports", schedules=both.schedules) == both
    assert await configs(aws).put("reports", values={}) == PluginConfig(schedules=both.schedules)
    assert await configs(aws).get("reports") == PluginConfig(schedules=both.schedules)


async def test_a_renewed_registration_keeps_why_a_plugin_is_off_and_how_much_it_logs(aws: AwsStack) -> None:
    registry = aws.registry()
    await registry.register(make_registration("reports"))
    await registry.set_enabled("reports", False, reason="it failed 20 times")
    await registry.set_log_level("reports", "DEBUG")
    await registry.register(make_registration("reports", version="2.0.0"))

    renewed = await registry.get("reports")
    assert (renewed.version, renewed.enabled, renewed.log_level) == ("2.0.0", False, "DEBUG")
    assert renewed.disabled_reason == "it failed 20 times"


async def test_a_plugin_that_is_enabled_has_no_reason_to_be_off(aws: AwsStack) -> None:
    registry = aws.registry()
    await registry.register(make_registration("reports", enabled=False, disabled_reason="not yet"))
    assert (await registry.set_enabled("reports", True)).disabled_reason is None


async def test_the_log_level_of_a_plugin_that_is_not_there_cannot_be_set(aws: AwsStack) -> None:
    with pytest.raises(PluginNotFound):
        await aws.registry().set_log_level("nobody", "DEBUG")
