"""The gateway's handler. Which plugin calls, the alias tells: IAM lets a plugin invoke its own alias alone."""

from __future__ import annotations

import time
from typing import cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from memory_server import bootstrap
from memory_server.environment import Environment
from memory_server.services.gateway import Gateway
from plugin_kit.json_types import JsonObject, JsonValue

logger = Logger()
environment = Environment(bootstrap.gateway)


@logger.inject_lambda_context
def handler(request: JsonObject, context: LambdaContext) -> dict[str, JsonValue]:
    """Answer one call of a plugin's context services."""
    plugin_id = _caller(context.invoked_function_arn)
    return environment.run(lambda gateway: _answer(gateway, plugin_id, request))


async def _answer(gateway: Gateway, plugin_id: str | None, request: JsonObject) -> dict[str, JsonValue]:
    started = time.perf_counter()
    answer = await gateway.answer(plugin_id, request)
    error = cast("JsonObject", answer.get("error", {}))
    logger.info(
        "a plugin called",
        extra={
            "plugin_id": plugin_id,
            "operation": gateway.known_operation(request),
            "outcome": error.get("type", "ok"),
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
        },
    )
    return answer


def _caller(invoked_arn: str) -> str | None:
    """Return the id in ``arn:aws:lambda:<region>:<account>:function:<name>:plugin-<id>``, None where there is none."""
    _, _, alias = invoked_arn.partition(":function:")[2].partition(":")
    return alias.removeprefix("plugin-") if alias.startswith("plugin-") else None
