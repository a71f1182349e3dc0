"""What a start publishes again: all that the queues of a killed emulator may have held, and little else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import psycopg
import pytest
from moto import mock_aws

from infra.local import checkpoint
from infra.local.checkpoint import Queues
from tests.fixtures.postgres import TestDatabase

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

NOW = datetime.now(UTC)


@pytest.fixture
def sqs() -> Iterator[SQSClient]:
    with mock_aws():
        yield boto3.Session("a", "b", region_name="us-east-1").client("sqs")  # pyright: ignore[reportUnknownMemberType]


@pytest.fixture
def urls(sqs: SQSClient) -> list[str]:
    return [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("plugin", "plugin-dead")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


def publish(database: TestDatabase, **ages: timedelta | None) -> None:
    """Put an event for each name into the outbox, published that long ago, or not at all."""
    with psycopg.connect(database.admin_dsn) as connection:
        for hook, age in ages.items():
            connection.execute(
                "INSERT INTO outbox (id, user_id, hook, event, published_at) VALUES (uuidv7(), 'local', %s, '{}', %s)",
                [hook, None if age is None else NOW - age],
            )


def unpublished(database: TestDatabase) -> set[str]:
    with psycopg.connect(database.admin_dsn) as connection:
        return {row[0] for row in connection.execute("SELECT hook FROM outbox WHERE published_at IS NULL")}


def test_empty_queues_make_a_checkpoint(sqs: SQSClient, urls: list[str], path: Path) -> None:
    assert checkpoint.save(path, Queues(sqs, urls))
    assert datetime.fromisoformat(path.read_text()) > NOW


@pytest.mark.parametrize("queue", [0, 1], ids=["queue", "dead-letter queue"])
def test_an_event_that_waits_keeps_the_checkpoint_where_it_was(
    sqs: SQSClient, urls: list[str], path: Path, queue: int
) -> None:
    checkpoint.save(path, Queues(sqs, urls))
    before = path.read_text()
    sqs.send_message(QueueUrl=urls[queue], MessageBody="{}")

    assert not checkpoint.save(path, Queues(sqs, urls))
    assert path.read_text() == before


def test_an_event_that_is_worked_on_keeps_it_too(sqs: SQSClient, urls: list[str], path: Path) -> None:
    sqs.send_message(QueueUrl=urls[0], MessageBody="{}")
    sqs.receive_message(QueueUrl=urls[0], VisibilityTimeout=60)

    assert not checkpoint.save(path, Queues(sqs, urls))


def test_what_was_published_since_the_checkpoint_is_published_again(database: TestDatabase, path: Path) -> None:
    publish(database, before=timedelta(hours=2), since=timedelta(minutes=5), never=None)
    path.write_text((NOW - timedelta(hours=1)).isoformat())

    assert checkpoint.publish_again(path, database.admin_dsn) == 1
    assert unpublished(database) == {"since", "never"}


def test_what_was_published_just_before_the_checkpoint_is_too(database: TestDatabase, path: Path) -> None:
    publish(database, just_before=timedelta(minutes=60, seconds=30))
    path.write_text((NOW - timedelta(hours=1)).isoformat())

    checkpoint.publish_again(path, database.admin_dsn)

    assert unpublished(database) == {"just_before"}


def test_without_a_checkpoint_all_is_published_again(database: TestDatabase, path: Path) -> None:
    publish(database, long_ago=timedelta(hours=23), now=timedelta())

    checkpoint.publish_again(path, database.admin_dsn)

    assert unpublished(database) == {"long_ago", "now"}
