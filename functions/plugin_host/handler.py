"""The handler of every plugin's Lambda: batches of the plugin's queue, and direct calls that ask what the plugin is."""

from __future__ import annotations

import atexit
import logging
import signal
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]  # its handler's result is not typed
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.aws import Aws
from plugin_kit.delivery import Deliveries
from plugin_kit.host import Host
from plugin_kit.json_types import JsonObject
from plugin_kit.settings import HostSettings


@cache
def _deliveries() -> Deliveries:
    settings = HostSettings.from_environment()
    logger = Logger(service=settings.plugin_id)
    aws = Aws()
    # The plugin gets the standard logger under that name, which now writes JSON with the keys of each delivery.
    host = Host(settings, aws, logging.getLogger(settings.plugin_id))
    atexit.register(host.close)
    signal.signal(signal.SIGTERM, host.on_sigterm)
    return Deliveries(settings, aws, host, logger)


def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse | JsonObject:
    """Deliver a batch and return its failures, or answer ``{"action": "describe"}``."""
    deliveries = _deliveries()
    if event.get("action") == "describe":
        return deliveries.host.describe()
    batch = deliveries.begin(context)
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    failures = process_partial_response(event, batch.deliver, processor, context)
    batch.end()
    return failures
