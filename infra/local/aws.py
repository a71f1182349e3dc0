"""boto3 clients of the emulator, and what other processes need to make theirs."""

# boto3.client is overloaded for every service of AWS, and only the stubs of those that are used are installed.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from infra.local.aws_gate import OPERATOR, credentials

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

REGION: Final = "us-east-1"
_CONFIG: Final = Config(retries={"total_max_attempts": 2})  # it answers at once, or it is gone


class Aws:
    """The emulator that answers at ``endpoint``, with a client for each of its services that the stack needs.

    ``secret`` is the operator's, who may do all.
    """

    def __init__(self, endpoint: str, secret: str) -> None:
        self.endpoint = endpoint
        self._secret = secret
        self._session = boto3.Session(OPERATOR, secret, region_name=REGION)

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which another process's boto3 speaks to this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": OPERATOR,
            "AWS_SECRET_ACCESS_KEY": self._secret,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def environment_of(self, function: str, role_arn: str) -> dict[str, str]:
        """The variables with which another process's boto3 speaks to this emulator with the rights of ``function``."""
        key, secret = credentials(self._secret, function, role_arn)
        return {**self.environment, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self._session.client("cloudformation", endpoint_url=self.endpoint, config=_CONFIG)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self._session.client("dynamodb", endpoint_url=self.endpoint, config=_CONFIG)

    @cached_property
    def functions(self) -> LambdaClient:
        return self._session.client("lambda", endpoint_url=self.endpoint, config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3", endpoint_url=self.endpoint, config=_CONFIG)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        return self._session.client("secretsmanager", endpoint_url=self.endpoint, config=_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        return self._session.client("sqs", endpoint_url=self.endpoint, config=_CONFIG)
