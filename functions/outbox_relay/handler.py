"""The relay's handler, run every minute: publishes the events of change that a crash left in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from memory_server import bootstrap
from memory_server.environment import Environment

# Younger events are still in the hands of the process that wrote them.
OLDER_THAN_SECONDS: Final = 30
_RESERVE_MILLISECONDS: Final = 10_000

logger = Logger()
environment = Environment(bootstrap.relay)


@logger.inject_lambda_context
def handler(event: Mapping[str, object], context: LambdaContext) -> dict[str, int]:
    """Publish what is older than ``older_than_seconds`` (30), and return how much was published and pruned."""
    older_than = timedelta(seconds=float(str(event.get("older_than_seconds", OLDER_THAN_SECONDS))))
    report = environment.run(
        lambda relay: relay.run(
            older_than=older_than,
            has_time=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS,
        )
    )
    logger.info("the outbox is relayed", extra=asdict(report))
    return asdict(report)
