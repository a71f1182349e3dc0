"""The endpoints that plugins mark as tools. They come and go with the plugins."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, cast

from pydantic import TypeAdapter, ValidationError

from memory_api.errors import invalid_arguments
from memory_api.mcp.budget import DEFAULT_TOKENS, MaxTokens, longest_prefix, tokens
from memory_api.mcp.session import Session
from memory_api.mcp.tools import Answer, Hints, Tool
from memory_api.plugin_openapi import rebased
from memory_server.domain.errors import Fault, InvalidRequest
from memory_server.services.endpoint_answers import EndpointAnswer
from memory_server.services.endpoints import Endpoint, endpoints_of, unique
from memory_server.services.plugin_ports import PluginRegistration
from plugin_kit.endpoints import is_json, placeholders
from plugin_kit.json_types import JsonObject, JsonValue

_BODILESS: Final = ("GET", "DELETE")
_FIRST_ERROR: Final = 400
# What the note on a cut answer takes.
_FRAME: Final = 100


def plugin_tools(plugins: Iterable[PluginRegistration], taken: Iterable[str]) -> list[Tool]:
    """Return the tools of ``plugins``, under names that are not ``taken``."""
    names = set(taken)
    return [
        _tool(unique(endpoint.name, names), plugin, endpoint)
        for plugin in plugins
        for endpoint in endpoints_of(plugin)
        if endpoint.tool
    ]


def _tool(name: str, plugin: PluginRegistration, endpoint: Endpoint) -> Tool:
    async def run(session: Session, arguments: JsonObject) -> Answer:
        return await _call(session, endpoint, arguments)

    return Tool(
        name=name,
        title=f"{plugin.name}: {endpoint.summary}",
        description=f"{endpoint.summary} (by the plugin {plugin.name}: {plugin.description})",
        scope=endpoint.scope,
        hints=Hints(
            read_only=endpoint.method == "GET",
            destructive=endpoint.method != "GET",
            idempotent=endpoint.method in ("GET", "PUT", "DELETE"),
            open_world=True,
        ),
        input_schema=_input_schema(endpoint),
        # What a plugin answers is its own: nothing holds it against the schema that it names.
        output_schema=None,
        run=run,
    )


def _input_schema(endpoint: Endpoint) -> JsonObject:
    texts: JsonObject = {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
    names = placeholders(endpoint.path)
    properties: dict[str, JsonValue] = {}
    required: list[str] = []
    if names:
        required.append("path")
        properties["path"] = {
            "type": "object",
            "properties": dict.fromkeys(names, texts),
            "required": names,
            "additionalProperties": False,
        }
    if _has_body(endpoint):
        schema = endpoint.request or {}
        properties["body"] = rebased(
            {key: value for key, value in schema.items() if key not in ("$id", "$schema")}, "#/properties/body"
        )
    if endpoint.request is not None:
        required.append("body")
    properties["query"] = {"type": "object", "additionalProperties": {"type": "string"}}
    properties["max_tokens"] = {**_BUDGET.json_schema(), "default": DEFAULT_TOKENS}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_BUDGET: Final[TypeAdapter[int]] = TypeAdapter(MaxTokens)


def _has_body(endpoint: Endpoint) -> bool:
    return endpoint.request is not None or endpoint.method not in _BODILESS


async def _call(session: Session, endpoint: Endpoint, arguments: JsonObject) -> Answer:
    known = ("path", "query", "max_tokens", *(("body",) if _has_body(endpoint) else ()))
    faults = [Fault((name,), "is not known here: remove it") for name in arguments if name not in known]
    if faults:
        raise InvalidRequest(faults)
    path, query = _texts(arguments, "path"), _texts(arguments, "query")
    try:
        max_tokens = _BUDGET.validate_python(arguments.get("max_tokens", DEFAULT_TOKENS))
    except ValidationError as error:
        raise invalid_arguments(error, "max_tokens") from error
    endpoints = session.services.plugin_endpoints
    call = await endpoints.find_endpoint(endpoint, path)
    answer = await endpoints.answer(session.principal, call, query, arguments.get("body"))
    return _fitting(answer, max_tokens)


def _texts(arguments: JsonObject, name: str) -> Mapping[str, str]:
    given = arguments.get(name, {})
    if not isinstance(given, Mapping):
        raise InvalidRequest.of(name, "must be an object of texts")
    faults = [Fault((name, key), "must be a text") for key, value in given.items() if not isinstance(value, str)]
    if faults:
        raise InvalidRequest(faults)
    return cast("Mapping[str, str]", given)


def _fitting(answer: EndpointAnswer, max_tokens: int) -> Answer:
    """Return the plugin's answer; one that is too long is cut, and has no JSON, which cannot be cut."""
    text = answer.content.decode()
    structured = cast(JsonValue, json.loads(text)) if text and is_json(answer.content_type) else None
    failed = answer.status >= _FIRST_ERROR
    shown = structured if isinstance(structured, Mapping) and not failed else None
    if tokens(text) * (1 if shown is None else 2) > max_tokens:
        shown = None
    if tokens(text) > max_tokens:
        part = longest_prefix(text, tokens, max_tokens - _FRAME)
        text = (
            f"{part}\n\n[Cut: {len(part):,} of {len(text):,} characters. Raise max_tokens to see more, or ask the"
            " plugin for less.]"
        )
    if failed:
        text = f"The plugin answered {answer.status}: {text}"
    return Answer(text=text or f"Done ({answer.status}).", structured=shown, failed=failed)
