"""PLUGIN_INFO, checked: a plugin that breaks its contract is refused with every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Final, cast

from plugin_kit.endpoint_checks import DEFAULT_SCOPE
from plugin_kit.errors import InvalidPlugin
from plugin_kit.function_checks import function_faults
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.key_checks import id_faults, key_faults

DEFAULT_PRIORITY: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """What a plugin says of itself in PLUGIN_INFO, and its id: the name of its folder.

    A plugin of lower ``priority`` gets an event first. ``enabled`` holds at the first registration alone; afterwards
    the registry knows. ``config`` is a JSON Schema; the values of ``schedules`` are EventBridge schedule expressions.
    ``tasks`` are functions that the plugin calls itself, later.
    Every one of ``endpoints`` has method, path, handler, summary, scope and tool; it may have request and response.
    """

    plugin_id: str
    name: str
    version: str
    description: str
    author: str
    hooks: tuple[str, ...]
    priority: int = DEFAULT_PRIORITY
    enabled: bool = True
    permissions: tuple[str, ...] = ()
    config: JsonObject = field(default_factory=dict[str, JsonValue])
    secrets: tuple[str, ...] = ()
    schedules: Mapping[str, str] = field(default_factory=dict[str, str])
    tasks: tuple[str, ...] = ()
    endpoints: tuple[JsonObject, ...] = ()
    requires_server: str | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the JSON object under which the plugin is registered."""
        return asdict(self)


def verify(plugin_id: str, module: ModuleType) -> PluginInfo:
    """Return the PLUGIN_INFO of ``module``, checked against the functions that the module defines.

    Raises:
        InvalidPlugin: with every fault that the plugin has, each with the fix.
    """
    raw: object = getattr(module, "PLUGIN_INFO", None)
    if not isinstance(raw, dict):
        found = "is missing" if raw is None else f"is of type {type(raw).__name__}"
        raise InvalidPlugin(
            plugin_id, [*id_faults(plugin_id), f"PLUGIN_INFO {found}: define the dict PLUGIN_INFO in plugin.py"]
        )
    info = cast("dict[str, object]", raw)
    faults = [*id_faults(plugin_id), *key_faults(info), *function_faults(info, module)]
    if faults:
        raise InvalidPlugin(plugin_id, faults)
    return _info(plugin_id, info)


def _info(plugin_id: str, checked: dict[str, object]) -> PluginInfo:
    values = {
        key: tuple(cast("list[object]", value)) if isinstance(value, list) else value for key, value in checked.items()
    }
    endpoints = cast("tuple[JsonObject, ...]", values.get("endpoints", ()))
    values["endpoints"] = tuple({"scope": DEFAULT_SCOPE, "tool": False, **endpoint} for endpoint in endpoints)
    return PluginInfo(plugin_id=plugin_id, **values)  # pyright: ignore[reportArgumentType]  # the checks gave the types
