"""The page of deployment shows a block of template.yaml as those that are there are, and settings that can be read."""

from __future__ import annotations

import re

import yaml

from plugin_kit.json_types import JsonObject
from plugin_kit.testing.settings import PluginSettings
from tests.docs.pages import DEPLOYMENT, blocks
from tests.infra.templates import PLUGIN, ROOT, section, written


def test_the_block_of_a_plugin_differs_from_that_of_memory_analytics_in_its_name_alone() -> None:
    (shown,) = [block.text for block in blocks(DEPLOYMENT, "yaml") if block.file == "template.yaml"]
    expected = re.search(r"^  MemoryAnalytics:\n(?:    .*\n)+", ROOT.read_text(), re.MULTILINE)
    assert expected
    block = expected[0].replace("MemoryAnalytics", "MyPlugin").replace("memory_analytics", "my_plugin")
    assert shown == f"# template.yaml\nResources:\n{block}"


def test_the_outputs_and_the_two_parameters_of_the_page_are_all_that_a_stack_of_its_own_needs() -> None:
    (shown,) = [block.text for block in blocks(DEPLOYMENT, "bash") if "infra/plugin.yaml" in block.text]
    given = {*section(written(ROOT), "Outputs"), *re.findall(r"\b(Plugin\w+)=", shown)}
    assert {name for name in _required(written(PLUGIN)) if name not in given} == set()


def test_the_settings_of_the_page_name_plugins_by_name_and_by_path() -> None:
    (shown,) = [block.text for block in blocks(DEPLOYMENT, "yaml") if block.file == "config/settings.yaml"]
    plugins = PluginSettings.of(yaml.safe_load(shown)).plugins
    assert {"/" in name for name in plugins} == {True, False}


def _required(template: JsonObject) -> list[str]:
    return [name for name, parameter in section(template, "Parameters").items() if "Default" not in parameter]
