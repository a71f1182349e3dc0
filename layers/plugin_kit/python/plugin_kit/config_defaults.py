"""What a plugin's config is where nothing was set."""

from __future__ import annotations

from collections.abc import Mapping

from plugin_kit.json_types import JsonObject, JsonValue


def with_defaults(schema: JsonObject, values: JsonObject) -> dict[str, JsonValue]:
    """Return ``values`` over the defaults that the JSON Schema gives to the properties of the config."""
    properties = schema.get("properties")
    defaults = {
        name: details["default"]
        for name, details in (properties.items() if isinstance(properties, Mapping) else ())
        if isinstance(details, Mapping) and "default" in details
    }
    return {**defaults, **values}
