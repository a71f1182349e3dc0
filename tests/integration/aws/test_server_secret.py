"""One secret gives every role its password, and grants their key."""

from __future__ import annotations

import base64
import hashlib
import hmac

from memory_server.adapters.server_secret import ServerSecret
from tests.fixtures.aws import AwsStack
from tests.fixtures.postgres import SERVER_SECRET


def test_passwords_and_the_key_derive_from_the_secret_as_the_architecture_says(aws: AwsStack) -> None:
    secret = ServerSecret.read(aws.clients.secrets, aws.server_secret_arn)
    expected = hmac.new(SERVER_SECRET.encode(), b"role:memory_app", hashlib.sha256).digest()
    assert secret.role_password("memory_app") == base64.urlsafe_b64encode(expected).rstrip(b"=").decode()
    assert secret.grant_key() == hmac.new(SERVER_SECRET.encode(), b"grant", hashlib.sha256).digest()


def test_the_secret_is_in_no_text_of_the_object(aws: AwsStack) -> None:
    assert SERVER_SECRET not in repr(ServerSecret.read(aws.clients.secrets, aws.server_secret_arn))
