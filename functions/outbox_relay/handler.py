"""The relay's handler, run every minute, and by the API when a replay begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from memory_server import bootstrap
from memory_server.environment import Environment
from memory_server.services.relay import Relay, RelayReport

# Younger events are still in the hands of the process that wrote them.
OLDER_THAN_SECONDS: Final = 30
_RESERVE_MILLISECONDS: Final = 10_000

logger = Logger()
environment = Environment(bootstrap.relay)


@logger.inject_lambda_context
def handler(event: Mapping[str, object], context: LambdaContext) -> dict[str, int]:
    """Do what needs doing, and return how much of each was done.

    ``{"replay": {}}`` asks for the replays alone; else what has waited for ``older_than_seconds`` (30) is published.
    """
    report = environment.run(lambda relay: _run(relay, event, context))
    logger.info("the relay has run", extra=asdict(report))
    return asdict(report)


async def _run(relay: Relay, event: Mapping[str, object], context: LambdaContext) -> RelayReport:
    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS

    if "replay" in event:
        return RelayReport(replayed=await relay.replay(has_time))
    older_than = timedelta(seconds=float(str(event.get("older_than_seconds", OLDER_THAN_SECONDS))))
    return await relay.run(older_than=older_than, has_time=has_time)
