"""The handler of the stack's custom resources: the database's schema, and the registration of each plugin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from memory_server import bootstrap
from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.cloudformation import CustomResourceRequest

logger = Logger()


@logger.inject_lambda_context
def handler(request: CustomResourceRequest, context: LambdaContext) -> None:
    """Do what CloudFormation asks, and answer it; the answer goes to CloudFormation's URL."""
    resources = bootstrap.registrar(Settings.from_environment())
    asyncio.run(resources.answer(request, seconds=context.get_remaining_time_in_millis() / 1000))
    logger.info("answered", extra={"request": request["RequestType"], "resource": request["ResourceType"]})
