"""The checks of PLUGIN_INFO's keys and values. Each fault says where it is, what is there, and the fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from plugin_kit.endpoint_checks import endpoints_faults
from plugin_kit.faults import at, flag_faults, one_of, schema_faults, suggest, text_faults
from plugin_kit.schedule_checks import schedules_faults

PERMISSIONS: Final = (
    "memory:read",
    "memory:write",
    "database:read",
    "database:write",
    "embedding",
    "cache",
    "files",
    "users",
)
RESERVED_IDS: Final = frozenset({"list", "enable", "disable", "status"})
REQUIRED: Final = ("name", "version", "description", "author", "hooks")

_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([.+-]?[0-9A-Za-z]+)*")


def id_faults(plugin_id: str) -> Iterator[str]:
    """Yield what is wrong with a plugin's id."""
    if not _ID.fullmatch(plugin_id):
        yield (
            f"the plugin id {plugin_id!r} is not a name: rename the plugin's folder to a lower-case letter followed by "
            "at most 39 lower-case letters, digits or underscores"
        )
    elif plugin_id in RESERVED_IDS:
        yield f"the plugin id {plugin_id!r} is reserved for the routes under /plugins: rename the plugin's folder"


def key_faults(info: Mapping[str, object]) -> Iterator[str]:
    """Yield what is wrong with the keys of PLUGIN_INFO and their values."""
    for key in REQUIRED:
        if key not in info:
            yield f"PLUGIN_INFO has no {key!r}: add it"
    for key, value in info.items():
        check = _CHECKS.get(key)
        if check is None:
            yield f"PLUGIN_INFO has the unknown key {key!r}: {suggest(key, _CHECKS, 'remove it')}"
        else:
            yield from (at(f"PLUGIN_INFO[{key!r}]", fault) for fault in check(value))


def _version(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        yield f"is {value!r}: write a version such as '1.0.0'"


def _priority(value: object) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"is {value!r}: write a whole number, lower runs first"


def _names(value: object) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[object]", value)):
        yield f"is {value!r}: write a list of texts"
        return
    names = cast("list[str]", value)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"names {name!r} more than once: name it once"


def _permissions(value: object) -> Iterator[str]:
    faults = list(_names(value))
    yield from faults
    if not faults:
        for name in cast("list[str]", value):
            if name not in PERMISSIONS:
                yield f"has the unknown permission {name!r}: {suggest(name, PERMISSIONS, one_of(PERMISSIONS))}"


_CHECKS: Mapping[str, Callable[[object], Iterator[str]]] = {
    "name": text_faults,
    "version": _version,
    "description": text_faults,
    "author": text_faults,
    "hooks": _names,
    "priority": _priority,
    "enabled": flag_faults,
    "permissions": _permissions,
    "config": schema_faults,
    "secrets": _names,
    "schedules": schedules_faults,
    "tasks": _names,
    "endpoints": endpoints_faults,
    "requires_server": text_faults,
}
