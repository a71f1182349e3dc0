"""Requests to the endpoints of plugins, which the plugin's own function answers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from memory_server.domain.errors import (
    EndpointFailed,
    EndpointNotFound,
    EndpointTimedOut,
    Fault,
    InvalidRequest,
    PluginFailed,
    PluginNotEnabled,
    Unavailable,
)
from memory_server.domain.events import new_id
from memory_server.domain.grants import Grant, sign
from memory_server.domain.principals import Principal
from memory_server.services.endpoint_answers import EndpointAnswer, answer_of
from memory_server.services.endpoints import Endpoint, endpoints_of, find, methods
from memory_server.services.json_schemas import value_faults
from memory_server.services.plugin_ports import PluginFunctions, PluginRegistration, PluginRegistry
from memory_server.services.ports import Clock
from memory_server.services.recent import Recent
from plugin_kit.endpoints import filled, placeholders
from plugin_kit.json_types import JsonObject, JsonValue, dumps

# A plugin that hangs keeps this many requests waiting, and no more.
MAX_WAITING: Final = 8
PATIENCE_SECONDS: Final = 2.0
MAX_NOTE: Final = 500
# Longer than any call takes.
GRANT_LIFETIME: Final = timedelta(minutes=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCall:
    """A request that has found its endpoint."""

    registration: PluginRegistration
    endpoint: Endpoint
    path: str
    path_params: Mapping[str, str]


class PluginEndpoints:
    """Takes requests to the plugins that are enabled. Nothing that a plugin does shows as an error of the server."""

    def __init__(self, registry: PluginRegistry, functions: PluginFunctions, grant_key: bytes, clock: Clock) -> None:
        self._registry = registry
        self._functions = functions
        self._grant_key = grant_key
        self._clock = clock
        self._waiting: Counter[str] = Counter()
        self._published = Recent(self._read_published, clock, patience=PATIENCE_SECONDS)

    async def published(self) -> list[PluginRegistration]:
        """Return the enabled plugins that have endpoints, some seconds old; none where the registry does not answer."""
        return await self._published.get() or []

    async def find(self, plugin_id: str, method: str, path: str) -> EndpointCall:
        """Return what a request of ``method`` to ``path`` below /plugins/<plugin_id> is for.

        Raises:
            PluginNotFound: no such plugin is registered.
            PluginNotEnabled: the plugin is off.
            EndpointNotFound, EndpointMethodNotAllowed: it has no such endpoint.
            Unavailable: the registry does not answer.
        """
        registration = await self._enabled(plugin_id)
        endpoint, values = find(registration, method, path)
        return EndpointCall(registration=registration, endpoint=endpoint, path=path, path_params=values)

    async def find_endpoint(self, endpoint: Endpoint, path_params: Mapping[str, str]) -> EndpointCall:
        """Return a call of the very ``endpoint``, whatever others its path might be for with these ``path_params``.

        Raises:
            PluginNotFound, PluginNotEnabled, Unavailable: as ``find`` does.
            EndpointNotFound: the plugin has no such endpoint any more.
            InvalidRequest: a placeholder of the path has no value, or one that no path can have.
        """
        faults = [
            Fault(("path", name), "must be a text of at least one character, and none of them /")
            for name in placeholders(endpoint.path)
            if not path_params.get(name) or "/" in path_params[name]
        ]
        if faults:
            raise InvalidRequest(faults)
        registration = await self._enabled(endpoint.plugin_id)
        endpoints = endpoints_of(registration)
        if endpoint not in endpoints:
            raise EndpointNotFound(endpoint.plugin_id, [str(item) for item in endpoints])
        path = filled(endpoint.path, path_params)
        return EndpointCall(registration=registration, endpoint=endpoint, path=path, path_params=path_params)

    async def methods(self, plugin_id: str, path: str) -> list[str]:
        """Return the methods that ``path`` takes.

        Raises:
            PluginNotFound, PluginNotEnabled, EndpointNotFound, Unavailable: as ``find`` does.
        """
        return methods(await self._enabled(plugin_id), path)

    async def answer(
        self, principal: Principal, call: EndpointCall, query: Mapping[str, str], body: JsonValue
    ) -> EndpointAnswer:
        """Return what the plugin answers.

        Raises:
            InvalidRequest: the body is not what the endpoint's schema asks for.
            EndpointFailed: the plugin failed, did not answer in time, or answered what is no answer.
            Unavailable: too many requests wait for the plugin already, or Lambda does not answer.
        """
        request: dict[str, JsonValue] = {
            "method": call.endpoint.method,
            "path": call.path,
            "path_params": call.path_params,
            "query": query,
            "body": body,
        }
        _check(call.endpoint, request)
        plugin_id = call.registration.plugin_id
        with self._turn(plugin_id):
            try:
                answer = await self._functions.call_endpoint(
                    call.registration.function_arn, call.endpoint.handler, request, self._event(principal, plugin_id)
                )
                return answer_of(answer)
            except PluginFailed as error:
                failure = EndpointTimedOut if error.kind == "TimedOut" else EndpointFailed
                raise failure(plugin_id, await self._noted(principal, call, error)) from error

    async def _read_published(self) -> list[PluginRegistration]:
        return [plugin for plugin in await self._registry.list() if plugin.enabled and endpoints_of(plugin)]

    async def _enabled(self, plugin_id: str) -> PluginRegistration:
        registration = await self._registry.get(plugin_id)
        if not registration.enabled:
            raise PluginNotEnabled(plugin_id)
        return registration

    async def _noted(self, principal: Principal, call: EndpointCall, error: PluginFailed) -> str:
        """Tell the operator of ``error``, in the log and in the plugin's status, and return its id."""
        error_id = new_id()
        what = f"{call.endpoint}: {error.kind}: {error}"
        logger.warning("%s (error %s)", what, error_id)
        with suppress(Unavailable):
            note = what[:MAX_NOTE].encode(errors="replace").decode()
            plugin_id = call.registration.plugin_id
            await self._registry.note_endpoint_error(plugin_id, principal.user_id, note, self._clock.now())
        return error_id

    @contextmanager
    def _turn(self, plugin_id: str) -> Generator[None]:
        if self._waiting[plugin_id] >= MAX_WAITING:
            raise Unavailable(f"plugin {plugin_id!r}", retry_after=1)
        self._waiting[plugin_id] += 1
        try:
            yield
        finally:
            self._waiting[plugin_id] -= 1

    def _event(self, principal: Principal, plugin_id: str) -> JsonObject:
        """Return what stands for the event of a hook: with its grant the plugin may act for the user who asks."""
        event_id, now = new_id(), self._clock.now()
        grant = Grant(
            event_id=event_id,
            user_id=principal.user_id,
            plugins=(plugin_id,),
            expires_at=now + GRANT_LIFETIME,
            since=now,
        )
        return {
            "id": event_id,
            "time": now.isoformat(),
            "user_id": principal.user_id,
            "session_id": None,
            "project": None,
            "metadata": {},
            "grant": sign(grant, self._grant_key),
        }


def _check(endpoint: Endpoint, request: JsonObject) -> None:
    body = request["body"]
    try:
        dumps(request).encode()
        faults = [] if endpoint.request is None else value_faults(endpoint.request, body)
    except (RecursionError, ValueError) as error:
        raise InvalidRequest([Fault((), f"is JSON that cannot be passed on: {error}")]) from error
    if faults:
        raise InvalidRequest(faults)
