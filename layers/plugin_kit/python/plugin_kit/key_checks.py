"""The checks of PLUGIN_INFO's keys and values. Each fault says where it is, what is there, and the fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, cast

from plugin_kit.json_types import dumps

PERMISSIONS: Final = ("memory:read", "memory:write", "database:read", "database:write", "embedding", "cache")
RESERVED_IDS: Final = frozenset({"list", "enable", "disable", "status"})
REQUIRED: Final = ("name", "version", "description", "author", "hooks")

_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([.+-]?[0-9A-Za-z]+)*")
_SCHEDULE = re.compile(r"(rate|cron|at)\(.+\)")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


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
            yield from (_at(f"PLUGIN_INFO[{key!r}]", fault) for fault in check(value))


def suggest(name: object, known: Mapping[str, object] | Sequence[str], otherwise: str) -> str:
    """Return the fix for an unknown ``name``: the nearest one that is known, or ``otherwise``."""
    near = get_close_matches(str(name), list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def _text(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not value.strip():
        yield f"is {value!r}: write a text that is not empty"


def _version(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        yield f"is {value!r}: write a version such as '1.0.0'"


def _priority(value: object) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"is {value!r}: write a whole number, lower runs first"


def _enabled(value: object) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"is {value!r}: write True or False"


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
                yield f"has the unknown permission {name!r}: {suggest(name, PERMISSIONS, _one_of(PERMISSIONS))}"


def _config(value: object) -> Iterator[str]:
    try:
        is_json = isinstance(value, dict) and bool(dumps(cast("object", value)))
    except (TypeError, ValueError):
        is_json = False
    if not is_json:
        yield f"is {value!r}: write a JSON Schema as a dict of JSON values"


def _schedules(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"is {value!r}: write a dict of function names and schedule expressions"
        return
    for name, expression in cast("dict[object, object]", value).items():
        if not isinstance(expression, str) or not _SCHEDULE.fullmatch(expression):
            yield f"gives {name!r} the expression {expression!r}: write rate(...), cron(...) or at(...)"


def _endpoints(value: object) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"is {value!r}: write a list of dicts"
        return
    for index, endpoint in enumerate(cast("list[object]", value)):
        if isinstance(endpoint, dict):
            yield from (_at(f"[{index}]", fault) for fault in _endpoint(cast("dict[str, object]", endpoint)))
        else:
            yield f"[{index}] is {endpoint!r}: write a dict with {', '.join(_ENDPOINT)}"


def _endpoint(endpoint: dict[str, object]) -> Iterator[str]:
    for key in ("method", "path", "handler", "summary"):
        if key not in endpoint:
            yield f"has no {key!r}: add it"
    for key, value in endpoint.items():
        check = _ENDPOINT.get(key)
        if check is None:
            yield f"has the unknown key {key!r}: {suggest(key, _ENDPOINT, 'remove it')}"
        else:
            yield from (_at(f"[{key!r}]", fault) for fault in check(value))


def _method(value: object) -> Iterator[str]:
    if value not in _METHODS:
        yield f"is {value!r}: {_one_of(_METHODS)}"


def _path(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not value.startswith("/"):
        yield f"is {value!r}: write a path that begins with /"


def _at(place: str, fault: str) -> str:
    return f"{place}{fault}" if fault.startswith("[") else f"{place} {fault}"


def _one_of(choices: Sequence[str]) -> str:
    return f"write one of {', '.join(choices)}"


_Check = Callable[[object], Iterator[str]]

_CHECKS: Mapping[str, _Check] = {
    "name": _text,
    "version": _version,
    "description": _text,
    "author": _text,
    "hooks": _names,
    "priority": _priority,
    "enabled": _enabled,
    "permissions": _permissions,
    "config": _config,
    "secrets": _names,
    "schedules": _schedules,
    "endpoints": _endpoints,
    "requires_server": _text,
}

_ENDPOINT: Mapping[str, _Check] = {
    "method": _method,
    "path": _path,
    "handler": _text,
    "summary": _text,
    "scope": _text,
    "tool": _enabled,
}
