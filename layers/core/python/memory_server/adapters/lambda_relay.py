"""The relay on AWS Lambda, invoked without waiting for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from memory_server.adapters.aws import call
from memory_server.domain.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

logger = logging.getLogger(__name__)


class LambdaRelay:
    """A Relay."""

    def __init__(self, client: LambdaClient, function: str) -> None:
        self._client = client
        self._function = function

    async def wake(self) -> None:
        try:
            await call(
                "relay",
                self._client.invoke,
                FunctionName=self._function,
                InvocationType="Event",
                Payload=b'{"replay":{}}',
            )
        except Unavailable:
            logger.warning("the relay begins the replay at its next minute")
