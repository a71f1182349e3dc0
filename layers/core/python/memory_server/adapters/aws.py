"""boto3 clients, and the one place where their errors become the domain's.

Endpoints, region and credentials are boto3's own environment variables.
"""

# pyright: reportUnknownMemberType=false
# boto3.client is overloaded for every service of AWS, and only the stubs of those that are used are installed.
from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property, partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from memory_server.domain.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


async def call(component: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what the blocking ``function`` returns, run in a thread of its own.

    Raises:
        Unavailable: AWS refused or did not answer; ``component`` names the part for the client, the log has the cause.
    """
    return await call_in(None, component, partial(function, *args, **kwargs))


async def call_in(threads: Executor | None, component: str, function: Callable[[], T]) -> T:
    """As ``call``, in one of ``threads``; None stands for those of the event loop."""
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, function)
    except (BotoCoreError, ClientError) as error:
        logger.warning("the %s failed: %s", component, error)
        raise Unavailable(component) from error


class Clients:
    """One client a service, made when it is first asked for: a function pays for those that it uses."""

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return boto3.client("dynamodb", config=_config())

    @cached_property
    def embedding_cache(self) -> DynamoDBClient:
        # A cache that answers later than the embedder is none, nor does anybody wait to be counted: one short chance.
        config = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1})
        return boto3.client("dynamodb", config=config)

    @cached_property
    def events(self) -> EventBridgeClient:
        return boto3.client("events", config=_config())

    @cached_property
    def functions(self) -> LambdaClient:
        # No function of ours works longer than this on one invocation.
        return boto3.client("lambda", config=_config(read_timeout=30))

    @cached_property
    def plugin_functions(self) -> LambdaClient:
        # As long as a plugin's function may work. One attempt: what a plugin did must not be done twice.
        return boto3.client("lambda", config=_config(read_timeout=31, attempts=1))

    @cached_property
    def s3(self) -> S3Client:
        # The signature that links to objects need: that of boto3's choice is refused in newer regions.
        return boto3.client("s3", config=_config().merge(Config(signature_version="s3v4")))

    @cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        return boto3.client("scheduler", config=_config())

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        return boto3.client("secretsmanager", config=_config())

    @cached_property
    def sqs(self) -> SQSClient:
        return boto3.client("sqs", config=_config())


def _config(*, read_timeout: float = 5, attempts: int = 3) -> Config:
    """Return settings with which a caller learns within seconds that a service is away."""
    return Config(
        connect_timeout=2, read_timeout=read_timeout, retries={"mode": "standard", "total_max_attempts": attempts}
    )
