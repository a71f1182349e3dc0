"""The endpoints of plugins: whatever the routes of the server leave of a plugin's paths."""

from __future__ import annotations

import json
from typing import Final, cast

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from memory_api.auth import Caller
from memory_api.dependencies import PluginEndpoints, PluginId
from memory_server.domain.errors import Fault, InvalidRequest, MemoryServerError, OutsideProject
from memory_server.services.plugin_endpoints import EndpointCall
from plugin_kit.endpoint_checks import DEFAULT_SCOPE, RESERVED_SEGMENTS
from plugin_kit.endpoints import is_json
from plugin_kit.json_types import JsonValue
from plugin_kit.key_checks import RESERVED_IDS

MAX_BODY_BYTES: Final = 1024 * 1024
# A page of a plugin must not act with the rights of the origin that it shares with the server.
_CONFINED: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


class _PluginId(Convertor[str]):
    """A segment that is none of the server's own below /plugins."""

    regex = rf"(?!(?:{'|'.join(sorted(RESERVED_IDS))})/)[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _EndpointPath(_PluginId):
    """A path whose first segment is none of those that the server answers for every plugin."""

    regex = rf"(?!(?:{'|'.join(RESERVED_SEGMENTS)})(?:/|$)).*"


register_url_convertor("plugin_id", _PluginId())
register_url_convertor("endpoint_path", _EndpointPath())

router = APIRouter(prefix="/plugins", tags=["plugins"])


@router.api_route(
    "/{plugin_id:plugin_id}/{path:endpoint_path}",
    methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    include_in_schema=False,
)
async def call_endpoint(
    request: Request, plugin_id: PluginId, path: str, endpoints: PluginEndpoints, caller: Caller
) -> Response:
    """Let the plugin answer."""
    if request.method == "OPTIONS":
        caller.require(DEFAULT_SCOPE)
        return Response(status_code=204, headers={"Allow": ", ".join(await endpoints.methods(plugin_id, f"/{path}"))})
    call = await _found(endpoints, caller, plugin_id, request.method, f"/{path}")
    request.state.scopes = [call.endpoint.scope]
    caller.require(call.endpoint.scope)
    answer = await endpoints.answer(caller, call, dict(request.query_params), await _body(request))
    response = Response(answer.content, answer.status, {**answer.headers, **_CONFINED}, answer.content_type)
    if request.method == "HEAD":
        response.body = b""
    return response


async def _found(endpoints: PluginEndpoints, caller: Caller, plugin_id: str, method: str, path: str) -> EndpointCall:
    """Return the call; who may not list the plugins does not learn here which there are."""
    if caller.project is not None:
        raise OutsideProject(caller.project)
    try:
        return await endpoints.find(plugin_id, method, path)
    except MemoryServerError:
        caller.require(DEFAULT_SCOPE)
        raise


async def _body(request: Request) -> JsonValue:
    """Return the request's JSON, None where it has no body."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise HTTPException(413, f"send at most {MAX_BODY_BYTES:,} bytes to a plugin")
    if not content:
        return None
    if not is_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "send JSON, with the header Content-Type: application/json")
    try:
        return cast(JsonValue, json.loads(content))
    except json.JSONDecodeError as error:
        fault = f"is not JSON: {error.msg}, at character {error.pos}"
    except (RecursionError, ValueError) as error:
        fault = f"is not JSON that can be read: {error}"
    raise InvalidRequest([Fault((), fault)])
