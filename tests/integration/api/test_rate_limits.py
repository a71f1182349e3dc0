"""A key with a limit: it is told how many requests are left, and when to come again."""

from __future__ import annotations

import re

import httpx
import pytest

from memory_server.domain.principals import known_scopes
from memory_server.services.keys import KeyDraft
from tests.fixtures.aws import REQUESTS_TABLE, AwsStack
from tests.fixtures.signed_in import Keyring


@pytest.fixture
def headers(api: httpx.Client) -> dict[str, str]:
    """A key of the test's user that may be used three times a minute."""
    draft = KeyDraft(user_id=api.headers["X-Test-User"], scopes=known_scopes(["memories:read"]), requests_a_minute=3)
    return {"Authorization": f"Bearer {Keyring().make(draft).text}"}


def test_what_is_left_is_told_and_one_too_many_is_refused(api: httpx.Client, headers: dict[str, str]) -> None:
    answers = [api.get("/memories", headers=headers) for _ in range(8)]  # of which two minutes may have a part

    admitted = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(admitted) + len(refused) == 8
    assert 3 <= len(admitted) <= 6
    assert re.fullmatch(r'"requests";r=2;t=\d+', admitted[0].headers["RateLimit"])
    assert admitted[0].headers["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert re.fullmatch(r'"requests";r=0;t=\d+', refused[0].headers["RateLimit"])
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert refused[0].json()["type"] == "urn:memory-server:problem:too-many-requests"
    assert api.get("/memories").status_code == 200


def test_who_has_no_limit_is_told_of_none(api: httpx.Client) -> None:
    assert "RateLimit" not in api.get("/memories").headers


def test_nobody_is_refused_because_requests_cannot_be_counted(
    api: httpx.Client, stack: AwsStack, headers: dict[str, str]
) -> None:
    table = stack.clients.dynamodb.describe_table(TableName=REQUESTS_TABLE)["Table"]
    stack.clients.dynamodb.delete_table(TableName=REQUESTS_TABLE)
    try:
        assert api.get("/memories", headers=headers).status_code == 200
    finally:
        stack.clients.dynamodb.create_table(
            TableName=REQUESTS_TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=table.get("AttributeDefinitions", []),
            KeySchema=table.get("KeySchema", []),
        )
