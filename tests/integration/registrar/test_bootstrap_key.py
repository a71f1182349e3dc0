"""An operator who may invoke the registrar gets a first key from it."""

from __future__ import annotations

import asyncio

import pytest

from functions.registrar.handler import handler
from memory_server.adapters.dynamodb_keys import DynamoDBKeys
from memory_server.adapters.system_clock import SystemClock
from memory_server.domain.principals import SCOPES
from memory_server.services.sign_in import SignIn
from tests.fixtures.aws import KEYS_TABLE, AwsStack
from tests.fixtures.functions import Invocation


@pytest.mark.usefixtures("function_environment")
def test_the_first_key_opens_everything_for_the_user_that_it_is_asked_for(aws: AwsStack) -> None:
    answer = handler({"bootstrap_key": {"user_id": "ada"}}, Invocation("registrar").context)
    assert answer is not None

    sign_in = SignIn(DynamoDBKeys(aws.clients.dynamodb, KEYS_TABLE), None, SystemClock())
    principal = asyncio.run(sign_in.principal(str(answer["key"])))

    assert (principal.user_id, principal.credential_id) == ("ada", answer["id"])
    assert principal.scopes == set(SCOPES)
