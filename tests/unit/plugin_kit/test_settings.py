"""The host's environment, checked before anything is done."""

from __future__ import annotations

import pytest

from plugin_kit.errors import PluginError
from plugin_kit.settings import HostSettings

ENVIRONMENT = {
    "PLUGIN_ID": "my_plugin",
    "PLUGINS_TABLE": "plugins",
    "DELIVERIES_TABLE": "deliveries",
    "QUEUE_URL": "https://queue",
    "GATEWAY_ALIAS_ARN": "arn:gateway:plugin-my_plugin",
    "EVENTS_BUCKET": "events",
}


def test_the_variables_of_the_contract_are_enough() -> None:
    settings = HostSettings.from_environment(ENVIRONMENT)
    assert (settings.plugin_id, settings.queue_url, settings.plugin_path) == ("my_plugin", "https://queue", "")


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_variable_that_is_not_set_is_named(name: str) -> None:
    with pytest.raises(PluginError, match=f"the environment variable {name} is not set"):
        HostSettings.from_environment({**ENVIRONMENT, name: ""})


def test_numbers_have_defaults_and_are_read_as_numbers() -> None:
    assert HostSettings.from_environment(ENVIRONMENT).max_receives == 5
    assert HostSettings.from_environment({**ENVIRONMENT, "FAILURE_LIMIT": "3"}).failure_limit == 3
    with pytest.raises(PluginError, match="the environment variable MAX_RECEIVES is 'many': set a number"):
        HostSettings.from_environment({**ENVIRONMENT, "MAX_RECEIVES": "many"})
