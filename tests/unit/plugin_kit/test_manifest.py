"""A plugin that breaks its contract is refused, with every fault and each fault's fix."""

from __future__ import annotations

import json

import pytest

from plugin_kit.errors import InvalidPlugin
from plugin_kit.json_types import dumps
from plugin_kit.manifest import DEFAULT_PRIORITY, PluginInfo, verify
from tests.unit.plugin_kit.manifests import HOOK, INFO, faults, module


def test_a_plugin_with_the_required_keys_alone_gets_the_defaults() -> None:
    info = verify("my_plugin", module())
    assert info == PluginInfo(
        plugin_id="my_plugin",
        name="My Plugin",
        version="1.0.0",
        description="A custom plugin",
        author="Your Name",
        hooks=("memory_created",),
        priority=DEFAULT_PRIORITY,
        enabled=True,
    )


def test_every_key_is_kept_and_can_be_registered_as_json() -> None:
    extra = {
        "priority": 1,
        "enabled": False,
        "permissions": ["memory:read", "database:write"],
        "config": {"type": "object", "properties": {"days": {"type": "integer"}}},
        "secrets": ["SMTP_PASSWORD"],
        "schedules": {"nightly": "cron(0 3 * * ? *)"},
        "tasks": ["go_on"],
        "endpoints": [
            {
                "method": "GET",
                "path": "/summary",
                "handler": "summary",
                "summary": "Counts a day",
                "scope": "memories:read",
                "tool": True,
                "response": {"type": "object"},
            }
        ],
        "requires_server": ">=0.1",
    }
    source = f"{HOOK}\nasync def nightly(context): ...\nasync def summary(request, context): ..."
    source += "\nasync def go_on(arguments, context): ..."
    info = verify("my_plugin", module({**INFO, **extra}, source))
    assert json.loads(dumps(info.to_dict())) == {"plugin_id": "my_plugin", **INFO, **extra}


def test_a_module_without_plugin_info_is_refused() -> None:
    assert faults(None) == ["PLUGIN_INFO is missing: define the dict PLUGIN_INFO in plugin.py"]
    assert faults([]) == ["PLUGIN_INFO is of type list: define the dict PLUGIN_INFO in plugin.py"]


def test_all_faults_are_told_at_once_under_the_plugins_name() -> None:
    with pytest.raises(InvalidPlugin) as refused:
        verify("my_plugin", module({**INFO, "version": "one", "hooks": ["memory_create"]}, "def initialize(): ..."))
    assert str(refused.value) == (
        "plugin 'my_plugin' is refused:\n"
        "- PLUGIN_INFO['version'] is 'one': write a version such as '1.0.0'\n"
        "- hook 'memory_create' is not in the catalogue: did you mean 'memory_created'?\n"
        "- initialize is not async: write `async def initialize(context)`\n"
        "- initialize: argument 'context' is missing: write `async def initialize(context)`"
    )


def test_a_missing_key_is_named() -> None:
    assert faults({key: value for key, value in INFO.items() if key != "author"}) == [
        "PLUGIN_INFO has no 'author': add it"
    ]


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("name", "", "is '': write a text that is not empty"),
        ("description", 3, "is 3: write a text that is not empty"),
        ("version", 1.0, "is 1.0: write a version such as '1.0.0'"),
        ("hooks", "memory_created", "is 'memory_created': write a list of texts"),
        ("hooks", ["memory_created", "memory_created"], "names 'memory_created' more than once: name it once"),
        ("priority", "high", "is 'high': write a whole number, lower runs first"),
        ("priority", True, "is True: write a whole number, lower runs first"),
        ("enabled", "yes", "is 'yes': write True or False"),
        ("permissions", ["memory:reed"], "has the unknown permission 'memory:reed': did you mean 'memory:read'?"),
        (
            "permissions",
            ["*"],
            (
                "has the unknown permission '*': write one of memory:read, memory:write, database:read, "
                "database:write, embedding, cache, files, users"
            ),
        ),
        ("config", {"default": {1, 2}}, "is {'default': {1, 2}}: write a JSON Schema as a dict of JSON values"),
        ("secrets", {"A": "b"}, "is {'A': 'b'}: write a list of texts"),
        ("requires_server", 1, "is 1: write a text that is not empty"),
        ("endpoints", {}, "is {}: write a list of dicts"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(key: str, value: object, fault: str) -> None:
    expected = f"PLUGIN_INFO[{key!r}] {fault}"
    found = faults({**INFO, key: value})
    assert expected in found
    # A hooks value that is no list leaves the function unlisted: that is told too.
    assert len(found) == 1 or value == "memory_created"


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    assert faults({**INFO, "permisions": []}) == [
        "PLUGIN_INFO has the unknown key 'permisions': did you mean 'permissions'?"
    ]
    assert faults({**INFO, "zzz": 1}) == ["PLUGIN_INFO has the unknown key 'zzz': remove it"]


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "0.1.0rc1", "1.2.3-beta.1", "2.0.0+build.5", "1.0.post1"])
def test_versions_of_both_customs_are_taken(version: str) -> None:
    assert verify("my_plugin", module({**INFO, "version": version})).version == version


def test_a_listed_hook_must_be_defined() -> None:
    assert faults(source="") == [
        "hook memory_created is not defined: write `async def memory_created(memory, context)` in plugin.py"
    ]


def test_a_hook_must_be_a_function() -> None:
    assert faults(source="memory_created = 3") == [
        "hook memory_created is of type int, not a function: write `async def memory_created(memory, context)`"
    ]


def test_a_hook_that_is_defined_must_be_listed() -> None:
    assert faults({**INFO, "hooks": []}) == [
        "hook memory_created is defined but not listed, so it would never be called: add it to PLUGIN_INFO['hooks']"
    ]


def test_a_hook_must_be_async() -> None:
    assert faults(source="def memory_created(memory, context): ...") == [
        "hook memory_created is not async: write `async def memory_created(memory, context)`"
    ]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ("memory", "argument 'context' is missing"),
        ("mem, context", "argument 'mem' stands where 'memory' belongs"),
        ("memory, context, extra", "argument 'extra' is one too many"),
        ("*args", "argument '*args' is of a kind that cannot be passed by place"),
        ("memory, *, context", "argument 'context' is of a kind that cannot be passed by place"),
    ],
)
def test_a_hooks_arguments_must_be_the_catalogues(arguments: str, fault: str) -> None:
    assert faults(source=f"async def memory_created({arguments}): ...") == [
        f"hook memory_created: {fault}: write `async def memory_created(memory, context)`"
    ]


def test_arguments_in_the_wrong_order_are_each_named() -> None:
    assert len(faults(source="async def memory_created(context, memory): ...")) == 2


def test_cleanup_takes_the_context_alone() -> None:
    assert faults(source=f"{HOOK}\nasync def cleanup(context, force): ...") == [
        "cleanup: argument 'force' is one too many: write `async def cleanup(context)`"
    ]


def test_a_schedule_names_an_async_function_and_an_expression() -> None:
    assert faults({**INFO, "schedules": {"nightly": "daily"}}) == [
        "PLUGIN_INFO['schedules'] gives 'nightly' the expression 'daily': write rate(...), cron(...) or at(...)",
        "schedule nightly is not defined: write `async def nightly(context)` in plugin.py",
    ]


@pytest.mark.parametrize("plugin_id", ["My_Plugin", "my-plugin", "_x", "1x", "", "x" * 41, "../x"])
def test_an_id_that_is_no_name_is_refused(plugin_id: str) -> None:
    (fault,) = faults(plugin_id=plugin_id)
    assert fault.startswith(f"the plugin id {plugin_id!r} is not a name: rename the plugin's folder")


@pytest.mark.parametrize("plugin_id", ["list", "enable", "disable", "status"])
def test_an_id_that_is_a_route_is_refused(plugin_id: str) -> None:
    assert faults(plugin_id=plugin_id) == [
        f"the plugin id {plugin_id!r} is reserved for the routes under /plugins: rename the plugin's folder"
    ]


def test_a_task_takes_its_arguments_and_the_context() -> None:
    info = {**INFO, "tasks": ["go_on", "missing"]}
    assert faults(info, f"{HOOK}\nasync def go_on(context): ...") == [
        "task go_on: argument 'context' is missing: write `async def go_on(arguments, context)`",
        "task go_on: argument 'context' stands where 'arguments' belongs: write `async def go_on(arguments, context)`",
        "task missing is not defined: write `async def missing(arguments, context)` in plugin.py",
    ]


def test_a_task_cannot_be_a_hook_too() -> None:
    assert faults({**INFO, "tasks": ["memory_created"]}) == [
        "task 'memory_created' has the name of a hook: give the function another name"
    ]
