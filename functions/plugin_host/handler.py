"""The handler of every plugin's Lambda: batches of the plugin's queue, and direct calls of the server."""

from __future__ import annotations

import atexit
import logging
import signal
import sys
from collections.abc import Sequence
from functools import cache
from typing import IO, cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]  # its handler's result is not typed
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.actions import Actions
from plugin_kit.aws import Aws
from plugin_kit.delivery import Deliveries
from plugin_kit.host import Host
from plugin_kit.json_types import JsonObject
from plugin_kit.output import Output
from plugin_kit.redaction import RedactedStream, Redaction
from plugin_kit.settings import HostSettings


@cache
def _deliveries() -> Deliveries:
    """Return what lasts as long as the environment; it is whole before any of the plugin's code is imported."""
    settings = HostSettings.from_environment()
    redact = Redaction()
    logger = Logger(service=settings.plugin_id, stream=cast("IO[str]", RedactedStream(sys.stdout, redact)))
    aws = Aws()
    aws.prepare()
    host_logger = logging.getLogger(settings.plugin_id)  # which Powertools has made to write JSON
    output = Output(host_logger, redact)
    host = Host(settings, aws, output, host_logger)
    atexit.register(host.close)
    signal.signal(signal.SIGTERM, host.on_sigterm)
    return Deliveries(settings, aws, host, output, logger)


def handler(event: JsonObject, context: LambdaContext) -> PartialItemFailureResponse | JsonObject:
    """Deliver a batch and return its failures, or answer ``{"action": ...}``."""
    deliveries = _deliveries()
    if "action" in event:
        return Actions(deliveries).answer(event, context)
    batch = deliveries.begin(context)
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    records = batch.ordered(cast("Sequence[JsonObject]", event["Records"]))
    failures = process_partial_response({"Records": records}, batch.deliver, processor, context)
    batch.end()
    return failures
