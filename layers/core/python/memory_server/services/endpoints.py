"""The endpoints that a registered plugin's PLUGIN_INFO lists, and which of them a request is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from memory_server.domain.errors import EndpointMethodNotAllowed, EndpointNotFound
from memory_server.services.plugin_ports import PluginRegistration
from plugin_kit.endpoint_checks import DEFAULT_SCOPE
from plugin_kit.endpoints import match
from plugin_kit.json_types import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint below ``/plugins/<plugin_id>``. ``request`` and ``response`` are JSON Schemas of the bodies."""

    plugin_id: str
    method: str
    path: str
    handler: str
    summary: str
    scope: str
    request: JsonObject | None
    response: JsonObject | None

    def __str__(self) -> str:
        return f"{self.method} /plugins/{self.plugin_id}{self.path}"


def endpoints_of(registration: PluginRegistration) -> list[Endpoint]:
    """Return the endpoints of a plugin, in the order in which it lists them."""
    listed = cast("Sequence[JsonObject]", registration.manifest.get("endpoints") or ())
    return [
        Endpoint(
            plugin_id=registration.plugin_id,
            method=str(item["method"]),
            path=str(item["path"]),
            handler=str(item["handler"]),
            summary=str(item["summary"]),
            scope=str(item.get("scope", DEFAULT_SCOPE)),
            request=cast("JsonObject | None", item.get("request")),
            response=cast("JsonObject | None", item.get("response")),
        )
        for item in listed
    ]


def find(registration: PluginRegistration, method: str, path: str) -> tuple[Endpoint, Mapping[str, str]]:
    """Return the endpoint that a request is for, with the values of its path's placeholders.

    A path that is spelled out comes before one with placeholders. HEAD is for the endpoint of GET.

    Raises:
        EndpointNotFound: the plugin has no such path.
        EndpointMethodNotAllowed: it has, for other methods.
    """
    at_path = _at(registration, path)
    wanted = "GET" if method == "HEAD" else method
    fitting = [(endpoint, values) for endpoint, values in at_path if endpoint.method == wanted]
    if not fitting:
        raise EndpointMethodNotAllowed(methods(registration, path))
    return min(fitting, key=lambda pair: len(pair[1]))


def methods(registration: PluginRegistration, path: str) -> list[str]:
    """Return the methods that ``path`` takes.

    Raises:
        EndpointNotFound: the plugin has no such path.
    """
    taken = {endpoint.method for endpoint, _ in _at(registration, path)}
    return sorted({*taken, "OPTIONS", *(("HEAD",) if "GET" in taken else ())})


def _at(registration: PluginRegistration, path: str) -> list[tuple[Endpoint, dict[str, str]]]:
    endpoints = endpoints_of(registration)
    found = [(endpoint, values) for endpoint in endpoints if (values := match(endpoint.path, path)) is not None]
    if not found:
        raise EndpointNotFound(registration.plugin_id, [str(endpoint) for endpoint in endpoints])
    return found
