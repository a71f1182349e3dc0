"""boto3 clients of the host: made when first asked for, and never waiting long."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient


class Aws:
    """The clients of one environment. Endpoints, region and credentials are boto3's own variables."""

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return cast("DynamoDBClient", _client("dynamodb", read_timeout=2, attempts=3))

    @cached_property
    def sqs(self) -> SQSClient:
        return cast("SQSClient", _client("sqs", read_timeout=3, attempts=2))

    @cached_property
    def s3(self) -> S3Client:
        return cast("S3Client", _client("s3", read_timeout=5, attempts=3))

    @cached_property
    def lambda_(self) -> LambdaClient:
        # One attempt: a call of the gateway may have changed something before its answer was lost.
        return cast("LambdaClient", _client("lambda", read_timeout=25, attempts=1))

    @cached_property
    def secrets_manager(self) -> SecretsManagerClient:
        return cast("SecretsManagerClient", _client("secretsmanager", read_timeout=3, attempts=2))

    def prepare(self) -> None:
        """Make the clients that the host needs after plugin code has run: what it does to os.environ comes too late."""
        _ = self.dynamodb, self.sqs, self.lambda_


def _client(
    service: Literal["dynamodb", "sqs", "s3", "lambda", "secretsmanager"], *, read_timeout: float, attempts: int
) -> object:
    # Imported here: what a plugin's author uses of the kit in tests needs no boto3, which is slow to import.
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        signature_version="v4",
    )
    return boto3.client(service, config=config)  # pyright: ignore[reportUnknownMemberType]  # only our services have stubs
