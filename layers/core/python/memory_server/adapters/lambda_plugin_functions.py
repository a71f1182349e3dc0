"""The plugins' functions on AWS Lambda, invoked directly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from memory_server.adapters.aws import call_in
from memory_server.domain.errors import InvalidRequest, PluginFailed
from memory_server.services.plugin_ports import FiredHook
from plugin_kit.json_types import JsonObject, JsonValue, dumps

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

# As many calls of plugins wait at once, in threads that nothing else needs.
_MAX_CALLS: Final = 64
# Lambda lets a function answer 6 MB.
_MAX_ANSWER_BYTES: Final = 7_000_000
# The API answers within 29 seconds, and has more to do than to wait.
_INITIALIZE_SECONDS: Final = 20.0
_CLEANUP_SECONDS: Final = 10.0
_FIRE_SECONDS: Final = 25.0
_ENDPOINT_SECONDS: Final = 20.0
# A cold start with a large layer, and an import of what is in it.
_DESCRIBE_SECONDS: Final = 30.0


class LambdaPluginFunctions:
    """PluginFunctions: every plugin's function answers ``{"action": ...}`` with ``{"ok": ...}`` or ``{"error": ...}``.

    ``client`` must not repeat an invocation: what a plugin did, it would do twice.
    """

    def __init__(self, client: LambdaClient) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(_MAX_CALLS, thread_name_prefix="plugin")

    async def describe(self, function_arn: str) -> JsonObject:
        try:
            manifest = await self._invoke(function_arn, {"action": "describe"}, _DESCRIBE_SECONDS)
        except PluginFailed as error:
            raise InvalidRequest.of("plugin", str(error)) from error
        return cast(JsonObject, manifest)

    async def initialize(self, function_arn: str) -> None:
        await self._invoke(function_arn, {"action": "initialize"}, _INITIALIZE_SECONDS)

    async def cleanup(self, function_arn: str) -> None:
        await self._invoke(function_arn, {"action": "cleanup"}, _CLEANUP_SECONDS)

    async def call_endpoint(self, function_arn: str, handler: str, request: JsonObject, event: JsonObject) -> JsonValue:
        action: JsonObject = {"action": "endpoint", "handler": handler, "request": request, "event": event}
        return await self._invoke(function_arn, action, _ENDPOINT_SECONDS)

    async def fire(self, function_arn: str, detail: JsonObject) -> FiredHook:
        answer = cast(JsonObject, await self._invoke(function_arn, {"action": "fire", "detail": detail}, _FIRE_SECONDS))
        logs = tuple(cast("Sequence[str]", answer["logs"]))
        return FiredHook(answer["returned"], logs, int(cast(int, answer["milliseconds"])))

    async def _invoke(self, function_arn: str, request: JsonObject, seconds: float) -> JsonValue:
        """Return what the function answered to ``request`` as ok, within ``seconds``.

        Raises:
            PluginFailed: it answered an error, crashed, or took too long.
            Unavailable: Lambda does not answer, or does not know the function.
        """
        try:
            async with asyncio.timeout(seconds):
                send = partial(self._send, function_arn, request)
                crashed, answer = await call_in(self._threads, "plugin's function", send)
        except TimeoutError:
            raise PluginFailed(f"{request['action']} took longer than {seconds:g} seconds", kind="TimedOut") from None
        if crashed:
            # What Lambda itself says: a crash, memory that ran out, the function's own timeout.
            raise PluginFailed(f"its function failed: {_read(answer).get('errorMessage')}")
        return _ok(_read(answer))

    def _send(self, function_arn: str, request: JsonObject) -> tuple[bool, bytes]:
        """Return whether the function crashed, and its answer: reading it off the network blocks too."""
        response = self._client.invoke(FunctionName=function_arn, Payload=dumps(request).encode())
        return "FunctionError" in response, response["Payload"].read(_MAX_ANSWER_BYTES)


def _read(answer: bytes) -> JsonObject:
    """Return the object that the function answered. Plugin code may have answered in the host's place."""
    try:
        value = cast(JsonValue, json.loads(answer))
    except (RecursionError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise PluginFailed("its function answered nonsense", kind="NoAnswer")
    return cast(JsonObject, value)


def _ok(answer: JsonObject) -> JsonValue:
    """Return what the function answered as ok, and raise what it answered as an error."""
    if "ok" in answer:
        return answer["ok"]
    error = answer.get("error")
    if not isinstance(error, dict):
        raise PluginFailed("its function answered nonsense", kind="NoAnswer")
    told = cast(JsonObject, error)
    logs = cast("Sequence[object]", told.get("logs") or ())
    raise PluginFailed(str(told.get("message")), kind=str(told.get("type")), logs=[str(line) for line in logs])
