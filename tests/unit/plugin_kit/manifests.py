"""A plugin that is right, and what is found wrong with one that is not."""

from __future__ import annotations

import textwrap
from types import ModuleType

import pytest

from plugin_kit.errors import InvalidPlugin
from plugin_kit.manifest import verify

INFO = {
    "name": "My Plugin",
    "version": "1.0.0",
    "description": "A custom plugin",
    "author": "Your Name",
    "hooks": ["memory_created"],
}
HOOK = "async def memory_created(memory, context): ..."


def module(info: object = INFO, source: str = HOOK) -> ModuleType:
    made = ModuleType("plugin")
    exec(textwrap.dedent(source), made.__dict__)  # noqa: S102  # the plugin of the test
    if info is not None:
        made.__dict__["PLUGIN_INFO"] = info
    return made


def faults(info: object = INFO, source: str = HOOK, plugin_id: str = "my_plugin") -> list[str]:
    with pytest.raises(InvalidPlugin) as refused:
        verify(plugin_id, module(info, source))
    return refused.value.faults
