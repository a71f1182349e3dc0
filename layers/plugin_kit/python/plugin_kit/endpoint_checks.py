"""The checks of PLUGIN_INFO's endpoints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from plugin_kit.faults import at, flag_faults, one_of, schema_faults, suggest, text_faults

SCOPES: Final = ("memories:read", "memories:write", "plugins:read", "plugins:admin")
DEFAULT_SCOPE: Final = "plugins:read"
RESERVED_SEGMENTS: Final = ("config", "secrets", "deliveries", "test", "replay")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REQUIRED: Final = ("method", "path", "handler", "summary")
# Of an endpoint that is a tool: what agents take for a name, behind the plugin's id.
_TOOL_HANDLER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
_LITERAL: Final = re.compile(r"[A-Za-z0-9._~-]+")
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def endpoints_faults(value: object) -> Iterator[str]:
    """Yield what is wrong with the list of endpoints."""
    if not isinstance(value, list):
        yield f"is {value!r}: write a list of dicts"
        return
    first_at: dict[tuple[str, str], int] = {}
    for index, item in enumerate(cast("list[object]", value)):
        if not isinstance(item, dict):
            yield f"[{index}] is {item!r}: write a dict with {', '.join(_CHECKS)}"
            continue
        endpoint = cast("dict[str, object]", item)
        yield from (at(f"[{index}]", fault) for fault in _endpoint_faults(endpoint))
        route = (str(endpoint.get("method")), _PLACEHOLDER.sub("{}", str(endpoint.get("path"))))
        if first_at.setdefault(route, index) != index:
            yield f"[{index}] answers the method and path of [{first_at[route]}] again: change one of the two"


def _endpoint_faults(endpoint: dict[str, object]) -> Iterator[str]:
    for key in _REQUIRED:
        if key not in endpoint:
            yield f"has no {key!r}: add it"
    for key, value in endpoint.items():
        check = _CHECKS.get(key)
        if check is None:
            yield f"has the unknown key {key!r}: {suggest(key, _CHECKS, 'remove it')}"
        else:
            yield from (at(f"[{key!r}]", fault) for fault in check(value))
    handler = endpoint.get("handler")
    if endpoint.get("tool") is True and isinstance(handler, str) and not _TOOL_HANDLER.fullmatch(handler):
        yield f"['handler'] is {handler!r}: name the handler of a tool with at most 60 ASCII letters, digits and _"


def _method_faults(value: object) -> Iterator[str]:
    if value not in _METHODS:
        yield f"is {value!r}: {one_of(_METHODS)}"


def _path_faults(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not value.startswith("/"):
        yield f"is {value!r}: write a path that begins with /"
        return
    segments = value[1:].split("/")
    for segment in segments:
        if not _LITERAL.fullmatch(segment) and not _PLACEHOLDER.fullmatch(segment):
            yield (
                f"is {value!r}: write letters, digits and . _ ~ - or one {{name}} between two slashes, "
                f"in place of {segment!r}"
            )
    names = _PLACEHOLDER.findall(value)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"is {value!r}: name {{{name}}} once"
    if segments[0] in RESERVED_SEGMENTS:
        yield (
            f"is {value!r}: the server itself answers {', '.join(f'/{name}' for name in RESERVED_SEGMENTS)}: "
            "begin with another word"
        )


def _scope_faults(value: object) -> Iterator[str]:
    if value not in SCOPES:
        yield f"is {value!r}: {one_of(SCOPES)}"


_CHECKS: Final[Mapping[str, Callable[[object], Iterator[str]]]] = {
    "method": _method_faults,
    "path": _path_faults,
    "handler": text_faults,
    "summary": text_faults,
    "scope": _scope_faults,
    "tool": flag_faults,
    "request": schema_faults,
    "response": schema_faults,
}
