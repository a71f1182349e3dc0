"""The handler of the stack's custom resources: the database's schema, and the registration of each plugin.

An operator who may invoke it gets a key from it too: {"bootstrap_key": {"user_id": "..."}}.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypedDict

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from memory_server import bootstrap
from memory_server.settings import Settings
from plugin_kit.json_types import JsonObject

if TYPE_CHECKING:
    from memory_server.adapters.cloudformation import CustomResourceRequest

logger = Logger()


class BootstrapUser(TypedDict):
    """Whom a key with every scope is to act for."""

    user_id: str


class BootstrapRequest(TypedDict):
    """What an operator asks for."""

    bootstrap_key: BootstrapUser


@logger.inject_lambda_context
def handler(request: CustomResourceRequest | BootstrapRequest, context: LambdaContext) -> JsonObject | None:
    """Do what CloudFormation asks, and answer it at CloudFormation's URL; or answer an operator."""
    if "bootstrap_key" in request:
        new = asyncio.run(bootstrap.keys(Settings.from_environment()).bootstrap(request["bootstrap_key"]["user_id"]))
        logger.info("audit", extra={"outcome": "done", "bootstrap_key": new.key.key_id, "user_id": new.key.user_id})
        return {"id": new.key.key_id, "key": new.text}
    resources = bootstrap.registrar(Settings.from_environment())
    asyncio.run(resources.answer(request, seconds=context.get_remaining_time_in_millis() / 1000))
    logger.info("answered", extra={"request": request["RequestType"], "resource": request["ResourceType"]})
    return None
