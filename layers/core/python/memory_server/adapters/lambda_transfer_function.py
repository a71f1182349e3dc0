"""The function of bulk transfers on AWS Lambda, invoked without waiting for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory_server.adapters.aws import call
from memory_server.services.transfer_requests import TransferRequest, to_json
from plugin_kit.json_types import dumps

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


class LambdaTransferFunction:
    """Implements transfer_ports.TransferFunction."""

    def __init__(self, client: LambdaClient, function: str) -> None:
        self._client = client
        self._function = function

    async def begin(self, request: TransferRequest) -> None:
        await call(
            "bulk transfer",
            self._client.invoke,
            FunctionName=self._function,
            InvocationType="Event",
            Payload=dumps(to_json(request)).encode(),
        )
