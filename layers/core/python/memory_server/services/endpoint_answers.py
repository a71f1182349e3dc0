"""What a plugin's function answered for an endpoint, believed only as far as it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from memory_server.domain.errors import PluginFailed
from memory_server.services.sizes import MAX_LAMBDA_BYTES, size_in_lambda
from plugin_kit.endpoints import is_json, response_of
from plugin_kit.errors import HookFailed
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.models import EndpointResponse

# None by which a plugin could act on the connection, or on what the browser keeps for the server's other pages.
_KEPT_HEADERS: Final = ("cache-control", "content-disposition", "etag", "last-modified", "location")
_WITHOUT_CONTENT: Final = (204, 205, 304)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAnswer:
    """A plugin's answer in the terms of HTTP, with those of its headers that a plugin may set."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    content_type: str


def answer_of(answer: JsonValue) -> EndpointAnswer:
    """Return what the function's ``answer`` stands for.

    Raises:
        PluginFailed: it stands for nothing, for what HTTP has no form for, or for more than can be answered.
    """
    try:
        response = response_of(_parse(answer))
    except HookFailed as error:
        raise PluginFailed(str(error), kind="NoAnswer") from error
    json = is_json(response.content_type)
    content = (dumps(response.body) if json else str(response.body)).encode()
    if size_in_lambda(content) > MAX_LAMBDA_BYTES:
        raise PluginFailed(f"the endpoint answered {len(content) / 1e6:.1f} MB of quotes and escapes", kind="NoAnswer")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return EndpointAnswer(
        status=response.status,
        headers={name: headers[name] for name in _KEPT_HEADERS if name in headers},
        content=b"" if response.status in _WITHOUT_CONTENT else content,
        content_type=response.content_type,
    )


def _parse(answer: JsonValue) -> EndpointResponse:
    if not isinstance(answer, dict):
        raise PluginFailed(f"the function answered a {type(answer).__name__} for a response", kind="NoAnswer")
    values = cast(JsonObject, answer)
    status, headers, content_type = values.get("status"), values.get("headers"), values.get("content_type")
    if type(status) is not int or not isinstance(headers, dict) or not isinstance(content_type, str):
        raise PluginFailed("the function answered an object that is no response", kind="NoAnswer")
    return EndpointResponse(
        status=status, headers=cast("Mapping[str, str]", headers), body=values.get("body"), content_type=content_type
    )
