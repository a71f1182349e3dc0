"""The handler of bulk transfers: the gateway invokes it, and nobody waits for it."""

from __future__ import annotations

import time
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from memory_server import bootstrap
from memory_server.environment import Environment
from plugin_kit.json_types import JsonObject

# What is left of its 15 minutes, to store a load in that was embedded by then.
_RESERVE_MILLISECONDS: Final = 5 * 60 * 1000

logger = Logger()
environment = Environment(bootstrap.transfers)


@logger.inject_lambda_context
def handler(request: JsonObject, context: LambdaContext) -> None:
    """Read a user's memories into files of a plugin, or store them from there; a task of the plugin's hears of it."""
    started = time.perf_counter()

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS

    environment.run(lambda transfers: transfers.run(request, has_time))
    seconds = round(time.perf_counter() - started, 1)
    logger.info("a transfer has ended", extra={"kind": request["kind"], "seconds": seconds})
