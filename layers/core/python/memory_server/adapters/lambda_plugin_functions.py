"""The plugins' functions on AWS Lambda, invoked directly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from memory_server.adapters.aws import call
from memory_server.domain.errors import InvalidRequest, PluginFailed
from plugin_kit.json_types import JsonObject, JsonValue, dumps

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

# The API answers within 29 seconds, and has more to do than to wait.
_INITIALIZE_SECONDS: Final = 20.0
_CLEANUP_SECONDS: Final = 10.0
# A cold start with a large layer, and an import of what is in it.
_DESCRIBE_SECONDS: Final = 30.0


class LambdaPluginFunctions:
    """PluginFunctions: every plugin's function answers ``{"action": ...}`` with ``{"ok": ...}`` or ``{"error": ...}``.

    ``client`` must not repeat an invocation: what a plugin did, it would do twice.
    """

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

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

    async def _invoke(self, function_arn: str, request: JsonObject, seconds: float) -> JsonValue:
        """Return what the function answered to ``request`` as ok, within ``seconds``.

        Raises:
            PluginFailed: it answered an error, crashed, or took too long.
            Unavailable: Lambda does not answer, or does not know the function.
        """
        try:
            async with asyncio.timeout(seconds):
                crashed, answer = await call("plugin's function", self._send, function_arn, request)
        except TimeoutError:
            raise PluginFailed(f"{request['action']} took longer than {seconds:g} seconds", kind="TimedOut") from None
        if crashed:
            # What Lambda itself says: a crash, memory that ran out, the function's own timeout.
            raise PluginFailed(f"its function failed: {answer.get('errorMessage')}")
        if "error" in answer:
            error = cast(JsonObject, answer["error"])
            logs = cast("Sequence[str]", error.get("logs", ()))
            raise PluginFailed(str(error["message"]), kind=str(error["type"]), logs=logs)
        return answer["ok"]

    def _send(self, function_arn: str, request: JsonObject) -> tuple[bool, JsonObject]:
        """Return whether the function crashed, and its answer: reading it off the network blocks too."""
        response = self._client.invoke(FunctionName=function_arn, Payload=dumps(request).encode())
        return "FunctionError" in response, json.loads(response["Payload"].read())
