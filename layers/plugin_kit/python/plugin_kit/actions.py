"""Direct calls of a plugin's function: what the plugin is, its life, a hook or an endpoint now."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.delivery import Deliveries
from plugin_kit.endpoints import response_of, to_dict
from plugin_kit.envelope import Event
from plugin_kit.errors import InvalidPlugin, NoSuchHandler, PluginError
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.models import EndpointRequest

_MARGIN_SECONDS: Final = 0.5
_MAX_RETURNED: Final = 256 * 1024
_MAX_REPR: Final = 1000


class Actions:
    """Answers ``{"action": ...}`` with ``{"ok": ...}``, or with ``{"error": {"type", "message"}}``."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._all = deliveries
        self._host = deliveries.host
        self._actions: Mapping[str, tuple[_Action, str]] = {
            "describe": (self._describe, "InvalidPlugin"),
            "initialize": (self._initialize, "InitializeFailed"),
            "cleanup": (self._cleanup, "HookFailed"),
            "fire": (self._fire, "HookFailed"),
            "endpoint": (self._endpoint, "HookFailed"),
        }

    def answer(self, request: JsonObject, context: LambdaContext) -> dict[str, JsonValue]:
        """Return the answer to ``request``; an error tells in ``logs`` what the plugin wrote before."""
        name = str(request.get("action"))
        if name not in self._actions:
            return _error("UnknownAction", f"there is no action {name!r}: there are {', '.join(self._actions)}", [])
        action, error_type = self._actions[name]
        self._all.output.begin()
        self._all.logger.append_keys(request_id=context.aws_request_id)
        seconds = max(0.0, context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS)
        with self._all.output.kept() as logs:
            try:
                return {"ok": action(request, seconds, logs)}
            except InvalidPlugin as error:
                return _error(error_type, self._all.output.redact(str(error)), logs)
            except PluginError as error:
                self._all.logger.exception("%s failed", name)
                kind = "NoSuchHandler" if isinstance(error, NoSuchHandler) else error_type
                return _error(kind, self._all.describe_error(error), logs)

    def _describe(self, _request: JsonObject, _seconds: float, _logs: list[str]) -> JsonValue:
        return self._host.info.to_dict()

    def _initialize(self, _request: JsonObject, seconds: float, _logs: list[str]) -> None:
        self._configure()
        self._host.initialize(_event("initialize", {}), seconds, again=True)

    def _cleanup(self, _request: JsonObject, seconds: float, _logs: list[str]) -> None:
        self._configure()
        self._host.clean_up(_event("cleanup", {}), seconds)

    def _fire(self, request: JsonObject, seconds: float, logs: list[str]) -> JsonValue:
        self._configure()
        event = self._all.reader.event(cast(JsonObject, request["detail"]))
        with self._logged(event):
            self._host.initialize(event, seconds)
            ran = self._host.dispatch(event, seconds)
        return {"returned": _returned(ran.returned), "logs": logs, "milliseconds": ran.milliseconds}

    def _endpoint(self, request: JsonObject, seconds: float, _logs: list[str]) -> JsonValue:
        self._configure()
        handler = str(request["handler"])
        event = _event(handler, cast(JsonObject, request["event"]))
        with self._logged(event):
            self._host.initialize(event, seconds)
            ran = self._host.answer(handler, _request(cast(JsonObject, request["request"])), event, seconds)
        return to_dict(response_of(ran.returned))

    def _logged(self, event: Event) -> AbstractContextManager[None]:
        """Let the lines of the log tell of ``event`` for as long as the context lasts."""
        return self._all.logger.append_context_keys(event_id=event.id, hook=event.hook, user_id=event.user_id)

    def _configure(self) -> None:
        self._host.configure(self._all.records.read())


_Action: TypeAlias = Callable[[JsonObject, float, list[str]], JsonValue]


def _event(name: str, values: JsonObject) -> Event:
    """Return what stands for an event where there is none: it gives the context its user, if any, and its grant."""
    return Event(
        id=str(values.get("id") or uuid.uuid4()),
        hook=name,
        time=datetime.fromisoformat(str(values["time"])) if values.get("time") else datetime.now(UTC),
        args={},
        user_id=cast("str | None", values.get("user_id")),
        session_id=cast("str | None", values.get("session_id")),
        project=cast("str | None", values.get("project")),
        metadata=cast(JsonObject, values.get("metadata") or {}),
        grant=cast("str | None", values.get("grant")),
    )


def _request(values: JsonObject) -> EndpointRequest:
    return EndpointRequest(
        method=str(values["method"]),
        path=str(values["path"]),
        path_params=cast("Mapping[str, str]", values.get("path_params") or {}),
        query=cast("Mapping[str, str]", values.get("query") or {}),
        body=values.get("body"),
    )


def _returned(value: object) -> JsonValue:
    """Return what a hook returned: itself where it is JSON of a bounded size, else the beginning of its repr."""
    try:
        if len(dumps(value)) <= _MAX_RETURNED:
            return cast(JsonValue, value)
    except (RecursionError, TypeError, ValueError):
        pass
    return repr(value)[:_MAX_REPR]


def _error(kind: str, message: str, logs: list[str]) -> dict[str, JsonValue]:
    return {"error": {"type": kind, "message": message, "logs": list(logs)}}
