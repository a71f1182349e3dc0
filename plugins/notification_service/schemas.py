"""The endpoints of PLUGIN_INFO, with the JSON Schemas of their bodies."""

from __future__ import annotations

from typing import Final

from plugin_kit.json_types import JsonObject
from plugin_kit.models import MEMORY_TYPES

from .channels import KINDS
from .notices import HOOKS

_NAMES: Final[JsonObject] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 200},
    "minItems": 1,
    "maxItems": 50,
}
_THROTTLE: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "messages": {"type": "integer", "minimum": 1, "maximum": 1000},
        "seconds": {"type": "integer", "minimum": 1, "maximum": 86_400},
    },
    "required": ["messages", "seconds"],
    "additionalProperties": False,
}
_CHANNEL: Final[JsonObject] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 100},
    "settings": {"type": "object", "maxProperties": 20},
    "throttle": _THROTTLE,
}
_RULE: Final[JsonObject] = {
    "hooks": {"type": "array", "items": {"enum": list(HOOKS)}, "minItems": 1, "uniqueItems": True},
    "projects": _NAMES,
    "memory_types": {"type": "array", "items": {"enum": list(MEMORY_TYPES)}, "minItems": 1},
    "tags_any": _NAMES,
    "tags_all": _NAMES,
    "min_importance": {"type": "number", "minimum": 0, "maximum": 1},
    "bulk": {"type": "boolean"},
    "digest_minutes": {"type": "integer", "minimum": 0, "maximum": 10_080},
    "quiet_hours": {
        "type": "object",
        "properties": {
            "start": {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"},
            "end": {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"},
            "time_zone": {"type": "string", "maxLength": 64},
        },
        "required": ["start", "end"],
        "additionalProperties": False,
    },
    "template": {
        "type": "object",
        "properties": {
            "title": {"type": "string", "maxLength": 200},
            "body": {"type": "string", "maxLength": 4000},
        },
        "additionalProperties": False,
    },
    "enabled": {"type": "boolean"},
}


def _object(properties: JsonObject, *required: str) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _optional(properties: JsonObject) -> JsonObject:
    return {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in properties.items()}


def _endpoint(method: str, path: str, handler: str, summary: str, request: JsonObject | None = None) -> JsonObject:
    endpoint: JsonObject = {"method": method, "path": path, "handler": handler, "summary": summary}
    return endpoint if request is None else {**endpoint, "request": request}


ENDPOINTS: Final = [
    _endpoint(
        "POST",
        "/channels",
        "create_channel",
        "Make a channel",
        _object({**_CHANNEL, "kind": {"enum": list(KINDS)}}, "name", "kind", "settings"),
    ),
    _endpoint("GET", "/channels", "list_channels", "List the channels"),
    _endpoint("GET", "/channels/{id}", "get_channel", "Read a channel"),
    _endpoint(
        "PATCH",
        "/channels/{id}",
        "change_channel",
        "Change a channel, or switch it on or off",
        _object({**_CHANNEL, "enabled": {"type": "boolean"}}),
    ),
    _endpoint("DELETE", "/channels/{id}", "delete_channel", "Delete a channel, its rules and its log"),
    _endpoint("POST", "/channels/{id}/test", "test_channel", "Send a message to the channel now"),
    _endpoint(
        "POST",
        "/rules",
        "create_rule",
        "Make a rule",
        _object({**_RULE, "channel_id": {"type": "string"}}, "channel_id", "hooks"),
    ),
    _endpoint("GET", "/rules", "list_rules", "List the rules"),
    _endpoint("GET", "/rules/{id}", "get_rule", "Read a rule"),
    _endpoint(
        "PATCH",
        "/rules/{id}",
        "change_rule",
        "Change a rule: null takes a setting away",
        _object({**_optional(_RULE), "hooks": _RULE["hooks"]}),
    ),
    _endpoint("DELETE", "/rules/{id}", "delete_rule", "Delete a rule, and what waits because of it"),
    _endpoint("GET", "/notifications", "list_notifications", "List what was sent, what waits and what failed"),
]
