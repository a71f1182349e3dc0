"""The server's secret, from which the roles' passwords and the key of grants derive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memory_server.domain.grants import grant_key
from memory_server.domain.passwords import role_password

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True, slots=True)
class ServerSecret:
    """The secret, and what derives from it."""

    value: str = field(repr=False)

    @classmethod
    def read(cls, client: SecretsManagerClient, secret_arn: str) -> ServerSecret:
        """Return the secret that ``secret_arn`` names. It blocks: it is for the cold start, before any event loop.

        Raises:
            botocore.exceptions.ClientError: there is no such secret, or this function may not read it.
        """
        return cls(client.get_secret_value(SecretId=secret_arn)["SecretString"])

    def role_password(self, role: str) -> str:
        return role_password(self.value, role)

    def grant_key(self) -> bytes:
        return grant_key(self.value)
