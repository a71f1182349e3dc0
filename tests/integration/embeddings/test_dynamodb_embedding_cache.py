"""The cache in DynamoDB keeps vectors for a while, and is never the reason that a query fails."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest
from moto import mock_aws

from memory_server.adapters.aws import Clients
from memory_server.adapters.dynamodb_cache import DynamoDBCache, entry_key
from memory_server.adapters.dynamodb_embedding_cache import DynamoDBEmbeddingCache
from memory_server.adapters.dynamodb_plugin_cache import DynamoDBPluginCache

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

TABLE: Final = "embeddings"
USER: Final = "ada"
KEY: Final = "embedding:0123"
VECTOR: Final = [0.5, -0.25, 1.0]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        client = Clients().embedding_cache
        make_table(client)
        yield client


def make_table(client: DynamoDBClient) -> None:
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("owner", "cache_key")],
        KeySchema=[
            {"AttributeName": "owner", "KeyType": "HASH"},
            {"AttributeName": "cache_key", "KeyType": "RANGE"},
        ],
    )


async def test_a_vector_is_found_by_its_key(client: DynamoDBClient) -> None:
    cache = DynamoDBEmbeddingCache(client, TABLE)

    await cache.put(USER, KEY, VECTOR)

    assert await cache.get(USER, KEY) == VECTOR
    assert await cache.get(USER, "embedding:other") is None
    assert await cache.get("other", KEY) is None


async def test_what_the_table_has_of_a_user_is_erased_and_what_it_has_of_others_stays(client: DynamoDBClient) -> None:
    vectors, values = DynamoDBEmbeddingCache(client, TABLE), DynamoDBPluginCache(client, TABLE)
    for user_id in (USER, "other"):
        await vectors.put(user_id, KEY, VECTOR)
        await values.set("notes", user_id, "k", user_id, ttl_seconds=60)
    await values.set("notes", None, "k", "nobody's", ttl_seconds=60)

    await DynamoDBCache(client, TABLE).erase(USER)

    assert (await vectors.get(USER, KEY), await values.get("notes", USER, "k")) == (None, None)
    assert (await vectors.get("other", KEY), await values.get("notes", "other", "k")) == (VECTOR, "other")
    assert await values.get("notes", None, "k") == "nobody's"


async def test_a_vector_is_marked_to_be_removed_after_seven_days(client: DynamoDBClient) -> None:
    await DynamoDBEmbeddingCache(client, TABLE).put(USER, KEY, VECTOR)

    item = client.get_item(TableName=TABLE, Key=entry_key(USER, KEY)).get("Item", {})
    seconds = int(item["expires_at"].get("N", "0")) - time.time()
    assert 7 * 24 * 3600 - 10 < seconds <= 7 * 24 * 3600
    assert len(bytes(item["vector"].get("B", b""))) == 4 * len(VECTOR)


async def test_an_expired_vector_that_is_still_there_is_not_found(client: DynamoDBClient) -> None:
    cache = DynamoDBEmbeddingCache(client, TABLE, seconds_to_live=0)

    await cache.put(USER, KEY, VECTOR)

    assert client.scan(TableName=TABLE)["Count"] == 1
    assert await cache.get(USER, KEY) is None


async def test_an_item_that_is_no_vector_is_not_found(client: DynamoDBClient) -> None:
    expires_at = str(int(time.time()) + 60)
    client.put_item(
        TableName=TABLE, Item={**entry_key(USER, KEY), "vector": {"B": b"12345"}, "expires_at": {"N": expires_at}}
    )

    assert await DynamoDBEmbeddingCache(client, TABLE).get(USER, KEY) is None


async def test_a_table_that_is_away_is_a_miss_that_is_logged_once_until_it_is_back(
    client: DynamoDBClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    cache = DynamoDBEmbeddingCache(client, TABLE)
    client.delete_table(TableName=TABLE)

    assert await cache.get(USER, KEY) is None
    await cache.put(USER, KEY, VECTOR)
    assert await cache.get(USER, KEY) is None
    assert len(caplog.records) == 1

    make_table(client)
    await cache.put(USER, KEY, VECTOR)
    assert await cache.get(USER, KEY) == VECTOR
    client.delete_table(TableName=TABLE)
    assert await cache.get(USER, KEY) is None
    assert len(caplog.records) == 2


async def test_a_table_that_does_not_answer_costs_about_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
        cache = DynamoDBEmbeddingCache(Clients().embedding_cache, TABLE)

        start = time.perf_counter()
        assert await cache.get(USER, KEY) is None
        assert time.perf_counter() - start < 3
