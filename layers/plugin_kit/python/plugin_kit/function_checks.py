"""The checks of a plugin's functions: what PLUGIN_INFO names is there, is async, and takes the right arguments."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import cast

from plugin_kit.faults import suggest
from plugin_kit.hooks import CATALOGUE


def function_faults(info: Mapping[str, object], module: ModuleType) -> Iterator[str]:
    """Yield what is wrong with the functions of ``module`` that PLUGIN_INFO, ``info``, names."""
    hooks = [name for name in _list(info, "hooks") if isinstance(name, str)]
    yield from _hook_faults(hooks, module)
    for name in ("initialize", "cleanup"):
        if hasattr(module, name):
            yield from _faults(module, name, name, ["context"])
    schedules = info.get("schedules")
    for name in cast("dict[object, object]", schedules) if isinstance(schedules, dict) else ():
        yield from _faults(module, str(name), f"schedule {name}", ["context"])
    for name in dict.fromkeys(_list(info, "tasks")):
        yield from _task_faults(str(name), module)
    endpoints = [cast("dict[str, object]", item) for item in _list(info, "endpoints") if isinstance(item, dict)]
    for handler in dict.fromkeys(endpoint.get("handler") for endpoint in endpoints):
        if isinstance(handler, str):
            yield from _faults(module, handler, f"endpoint handler {handler}", ["request", "context"])


def _list(info: Mapping[str, object], key: str) -> list[object]:
    value = info.get(key)
    return cast("list[object]", value) if isinstance(value, list) else []


def _hook_faults(listed: list[str], module: ModuleType) -> Iterator[str]:
    for name in dict.fromkeys(listed):
        hook = CATALOGUE.get(name)
        if hook is None:
            yield f"hook {name!r} is not in the catalogue: {suggest(name, CATALOGUE, 'remove it from PLUGIN_INFO')}"
        else:
            yield from _faults(module, name, f"hook {name}", [*hook.arguments, "context"])
    for name in CATALOGUE:
        if name not in listed and inspect.isfunction(getattr(module, name, None)):
            yield f"hook {name} is defined but not listed, so it would never be called: add it to PLUGIN_INFO['hooks']"


def _task_faults(name: str, module: ModuleType) -> Iterator[str]:
    if name in CATALOGUE:
        yield f"task {name!r} has the name of a hook: give the function another name"
    else:
        yield from _faults(module, name, f"task {name}", ["arguments", "context"])


def _faults(module: ModuleType, name: str, what: str, arguments: list[str]) -> Iterator[str]:
    """Yield what is wrong with the function ``name``, called ``what``."""
    line = f"async def {name}({', '.join(arguments)})"
    function: object = getattr(module, name, None)
    if function is None:
        yield f"{what} is not defined: write `{line}` in plugin.py"
    elif not callable(function):
        yield f"{what} is of type {type(function).__name__}, not a function: write `{line}`"
    else:
        if not inspect.iscoroutinefunction(function):
            yield f"{what} is not async: write `{line}`"
        yield from _argument_faults(inspect.signature(function), what, line, arguments)


def _argument_faults(signature: inspect.Signature, what: str, line: str, expected: list[str]) -> Iterator[str]:
    found = list(signature.parameters.values())
    for parameter in found:
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            yield f"{what}: argument {str(parameter)!r} is of a kind that cannot be passed by place: write `{line}`"
            return
    names = [parameter.name for parameter in found]
    for missing in expected[len(names) :]:
        yield f"{what}: argument {missing!r} is missing: write `{line}`"
    for surplus in names[len(expected) :]:
        yield f"{what}: argument {surplus!r} is one too many: write `{line}`"
    for name, right in zip(names, expected, strict=False):
        if name != right:
            yield f"{what}: argument {name!r} stands where {right!r} belongs: write `{line}`"
