"""PluginService runs the plugins of a folder as the server would: loaded, checked, initialized, called by priority."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from plugin_kit.errors import InvalidPlugin, PermissionRefused, PluginError
from plugin_kit.models import Memory
from plugin_kit.testing import FakeCacheService, PluginService

MEMORY = Memory(id="test123", content="Test content")
PLUGIN = """
PLUGIN_INFO = {{"name": "P", "version": "1.0", "description": "d", "author": "a", "hooks": ["memory_created"],
               "priority": {priority}, "permissions": {permissions}, "enabled": {enabled},
               "config": {{"properties": {{"n": {{"default": 7}}}}}}}}
CALLS = []

async def initialize(context):
    CALLS.append(("initialize", context["server_config"]["config"]))

async def cleanup(context):
    CALLS.append(("cleanup", context["plugin_name"]))

async def memory_created(memory, context):
    {body}
"""


def write(
    folder: Path, name: str, body: str, *, priority: int = 100, permissions: tuple[str, ...] = (), enabled: bool = True
) -> None:
    (folder / name).mkdir()
    text = PLUGIN.format(body=body, priority=priority, permissions=list(permissions), enabled=enabled)
    (folder / name / "plugin.py").write_text(text)


def settings(*plugins: str, **others: object) -> dict[str, object]:
    return {"plugins": {"plugins": list(plugins), **others}}


async def test_the_plugins_of_the_settings_are_loaded_initialized_and_cleaned_up(tmp_path: Path) -> None:
    write(tmp_path, "one", "return memory.id")
    service = PluginService(settings("one"), folder=tmp_path)
    await service.initialize()
    calls = service.loaded_plugins["one"].module.CALLS
    assert await service.fire("memory_created", MEMORY) == {"one": "test123"}
    await service.shutdown()
    assert calls == [("initialize", {"n": 7}), ("cleanup", "one")]
    assert dict(service.loaded_plugins) == {}


async def loaded(settings: object, folder: Path) -> list[str]:
    service = PluginService(settings, folder=folder)
    await service.initialize()
    return list(service.loaded_plugins)


async def test_those_that_are_named_are_loaded_or_all_that_are_enabled_where_none_is(tmp_path: Path) -> None:
    write(tmp_path, "one", "pass")
    write(tmp_path, "other", "pass", enabled=False)
    assert await loaded(settings(), tmp_path) == ["one"]
    assert await loaded(settings("other"), tmp_path) == ["other"]
    assert await loaded(settings("other", auto_load=False), tmp_path) == ["other"]
    assert await loaded(settings(auto_load=False), tmp_path) == []
    assert await loaded(settings("one", enabled=False), tmp_path) == []


async def test_settings_may_be_an_object_or_a_file(tmp_path: Path) -> None:
    write(tmp_path, "one", "pass")
    file = tmp_path / "config" / "settings.yaml"
    file.parent.mkdir()
    file.write_text('plugins:\n  enabled: true\n  auto_load: true\n  plugins:\n    - "../one"\n')
    as_object = SimpleNamespace(plugins=SimpleNamespace(enabled=True, auto_load=True, plugins=[f"{tmp_path}/one"]))
    for given in (file, str(file), as_object):
        service = PluginService(given)
        await service.initialize()
        assert list(service.loaded_plugins) == ["one"]


@pytest.mark.parametrize(
    ("key", "value"), [("enabled", "no"), ("auto_load", 1), ("plugins", "one two".split), ("plugins", [1])]
)
def test_settings_that_say_something_else_are_refused(key: str, value: object) -> None:
    with pytest.raises(PluginError, match=f"plugins.{key} is"):
        PluginService({"plugins": {key: value}})


async def test_a_plugin_that_the_server_would_refuse_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "one", "pass", permissions=("everything",))
    with pytest.raises(InvalidPlugin, match="unknown permission 'everything'"):
        await PluginService(settings("one"), folder=tmp_path).initialize()


async def test_lower_priorities_come_first_and_a_failure_holds_nobody_back(tmp_path: Path) -> None:
    note = "await context['cache_service'].set('at', context['metadata']['event_id']); "
    write(tmp_path, "late", f"{note}return 'late'", priority=5, permissions=("cache",))
    write(tmp_path, "early", "raise KeyError('early')", priority=1)
    service = PluginService(settings("late", "early"), folder=tmp_path)
    await service.initialize()
    with pytest.raises(ExceptionGroup, match="memory_created failed in early") as raised:
        await service.fire("memory_created", MEMORY)
    cache = service.loaded_plugins["late"].context["cache_service"]
    assert isinstance(cache, FakeCacheService)
    assert list(cache.values) == ["at"]
    assert [repr(error) for error in raised.value.exceptions] == ["KeyError('early')"]


async def test_a_plugin_may_do_no_more_than_it_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "one", "await context['cache_service'].get('key')")
    service = PluginService(settings("one"), folder=tmp_path)
    await service.initialize()
    with pytest.raises(ExceptionGroup) as raised:
        await service.fire("memory_created", MEMORY)
    (error,) = raised.value.exceptions
    assert isinstance(error, PermissionRefused)
    assert str(error) == "get needs the permission cache: add it to PLUGIN_INFO['permissions']"


async def test_a_hook_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="there is no hook 'memory_creatd'"):
        await PluginService(settings(), folder=tmp_path).fire("memory_creatd")
