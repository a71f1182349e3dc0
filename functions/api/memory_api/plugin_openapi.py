"""The endpoints of plugins in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from memory_api.problems import described
from memory_server.services.endpoints import Endpoint, endpoints_of, unique
from memory_server.services.plugin_ports import PluginRegistration
from plugin_kit.endpoints import placeholders
from plugin_kit.json_types import JsonObject, JsonValue

_PROBLEMS: Final[Mapping[int, str]] = {
    401: "Sign in: the credential is missing, or not valid",
    403: "The credential does not permit this: detail says what would",
    404: "The plugin, or its endpoint, is not there any more",
    409: "The plugin is off",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "Something in the body is wrong: errors names each field and why",
    502: "The plugin failed: error_id is where the server's log tells why",
    503: "The plugin has too many requests to answer: Retry-After says when to come again",
    504: "The plugin did not answer in time",
}


def with_plugins(document: JsonObject, plugins: Sequence[PluginRegistration]) -> JsonObject:
    """Return ``document`` with the endpoints of ``plugins``, tagged with the names of these."""
    if not plugins:
        return document
    paths = dict(cast("Mapping[str, Mapping[str, JsonValue]]", document["paths"]))
    schemas = dict(cast("Mapping[str, JsonValue]", cast(JsonObject, document["components"])["schemas"]))
    tags = list(cast("Sequence[JsonValue]", document.get("tags", ())))
    taken = set[str]()
    for plugin in plugins:
        tags.append({"name": plugin.name, "description": plugin.description})
        for endpoint in endpoints_of(plugin):
            name = unique(endpoint.name, taken)
            path = f"/plugins/{plugin.plugin_id}{endpoint.path}"
            paths[path] = {**paths.get(path, {}), endpoint.method.lower(): _operation(name, endpoint, plugin, schemas)}
    components = {**cast(JsonObject, document["components"]), "schemas": schemas}
    return {**document, "paths": paths, "components": components, "tags": tags}


def _operation(
    name: str, endpoint: Endpoint, plugin: PluginRegistration, schemas: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    """Return the operation, and put its schemas into ``schemas``."""
    answer = _component(f"{name}_response", endpoint.response or {}, schemas)
    operation: dict[str, JsonValue] = {
        "operationId": name,
        "summary": endpoint.summary,
        "description": f"Answered by the plugin {plugin.name} {plugin.version}.",
        "tags": [plugin.name],
        "security": [{"bearer": [endpoint.scope]}],
        "parameters": [
            {"name": placeholder, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for placeholder in placeholders(endpoint.path)
        ],
        "responses": {
            "200": {"description": "What the plugin answers", "content": {"application/json": {"schema": answer}}},
            **{str(status): described(meaning) for status, meaning in _PROBLEMS.items()},
        },
    }
    if endpoint.request is not None:
        schema = _component(f"{name}_request", endpoint.request, schemas)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _component(name: str, schema: JsonObject, schemas: dict[str, JsonValue]) -> JsonObject:
    """Put ``schema`` among the document's ``schemas`` and return the reference to it."""
    reference = f"#/components/schemas/{name}"
    schemas[name] = rebased({key: value for key, value in schema.items() if key not in ("$id", "$schema")}, reference)
    return {"$ref": reference}


def rebased(value: JsonValue, root: str) -> JsonValue:
    """Return a part of a schema with its references to itself leading to where it stands now: ``root``."""
    if isinstance(value, Mapping):
        return {
            key: root + item[1:]
            if key == "$ref" and isinstance(item, str) and item.startswith("#")
            else rebased(item, root)
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [rebased(item, root) for item in value]
    return value
