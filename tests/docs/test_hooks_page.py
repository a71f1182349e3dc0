"""The hook reference says what the catalogue says, and its samples are those that the server fires."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from plugin_kit.envelope import Event, encode
from plugin_kit.hooks import CATALOGUE, Hook
from plugin_kit.samples import sample_arguments
from tests.docs.pages import HOOKS, PLUGINS, section

every_hook = pytest.mark.parametrize("hook", CATALOGUE.values(), ids=lambda hook: hook.name)


def test_the_page_has_a_heading_for_each_hook_and_for_no_other() -> None:
    assert re.findall(r"^### (\w+)$", HOOKS.read_text(), re.MULTILINE) == list(CATALOGUE)


@every_hook
def test_a_hook_has_its_signature_its_sentence_and_its_kind(hook: Hook) -> None:
    signature, sentence, when, _ = section(HOOKS, hook.name).strip().split("\n\n", 3)
    assert signature == f"`{hook.signature}`"
    assert sentence == f"{hook.sentence} *Kind: {hook.kind}.*"
    assert len(when) > len(hook.sentence)


@every_hook
def test_the_sample_of_a_hook_is_what_the_server_fires(hook: Hook) -> None:
    (sample,) = re.findall(r"^```json\n(.*?)^```$", section(HOOKS, hook.name), re.MULTILINE | re.DOTALL)
    event = Event(id="1", hook=hook.name, time=datetime.now(UTC), args=sample_arguments(hook.name))
    assert json.loads(sample) == encode(event)["args"]


@every_hook
def test_the_page_of_plugins_lists_the_hook_with_its_arguments(hook: Hook) -> None:
    call = hook.signature.removeprefix("async def ")
    row = f"| `{call}` | {hook.sentence[0].lower()}{hook.sentence[1:-1]} |"
    assert row in PLUGINS.read_text().splitlines()
