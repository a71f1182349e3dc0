"""The plugins' functions on AWS Lambda, invoked directly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from memory_server.adapters.aws import call
from memory_server.domain.errors import InvalidRequest
from plugin_kit.json_types import JsonObject, dumps

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


class LambdaPluginFunctions:
    """PluginFunctions: every plugin's function answers ``{"action": "describe"}``."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    async def describe(self, function_arn: str) -> JsonObject:
        failed, answer = await call("plugin's function", self._invoke, function_arn)
        if failed:
            raise InvalidRequest.of("plugin", f"its function fails to start: {answer.get('errorMessage')}")
        if "ok" not in answer:
            raise InvalidRequest.of("plugin", str(cast(JsonObject, answer["error"])["message"]))
        return cast(JsonObject, answer["ok"])

    def _invoke(self, function_arn: str) -> tuple[bool, JsonObject]:
        """Return whether the function failed, and its answer: reading it off the network blocks too."""
        response = self._client.invoke(FunctionName=function_arn, Payload=dumps({"action": "describe"}).encode())
        return "FunctionError" in response, json.loads(response["Payload"].read())
