"""Sequences are kept in DynamoDB such that of several who want the same step, one takes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from memory_server.domain.errors import Unavailable
from memory_server.domain.events import memory_event
from memory_server.services.delivery_ports import EventSequence
from plugin_kit.models import Memory
from tests.fixtures.aws import SEQUENCES_TABLE, AwsStack

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def sequence(*, content: str = "text", deadline: datetime = NOW) -> EventSequence:
    """Return one that is with a and b, and goes to c and d, and then to e."""
    event = memory_event("memory_created", Memory(id="m", content=content, user_id="ana"))
    return EventSequence(event=event, pending=frozenset("ab"), waves=(("c", "d"), ("e",)), deadline=deadline)


async def test_a_sequence_comes_back_as_it_was_however_large_its_event_is(aws: AwsStack) -> None:
    for content in ("text", "\u20ac" * 200_000):
        kept = sequence(content=content)
        assert await aws.sequences().start(kept) == kept.pending
        assert await aws.sequences().overdue(NOW, limit=10) == [kept]
        await aws.sequences().remove(kept.event.id)
        assert await aws.sequences().overdue(NOW, limit=10) == []


async def test_a_second_start_changes_nothing_and_tells_who_is_pending(aws: AwsStack) -> None:
    first = sequence()
    await aws.sequences().start(first)
    await aws.sequences().finish(first.event.id, "a")
    assert await aws.sequences().start(first) == frozenset("b")


async def test_of_those_who_finish_at_once_the_last_one_alone_gets_the_sequence(aws: AwsStack) -> None:
    kept = sequence()
    await aws.sequences().start(kept)
    ends = await asyncio.gather(*(aws.sequences().finish(kept.event.id, name) for name in "abab"))
    assert [end for end in ends if end is not None] == [replace(kept, pending=frozenset())]


async def test_who_is_not_pending_finishes_nothing(aws: AwsStack) -> None:
    kept = sequence()
    await aws.sequences().start(kept)
    for event_id, name in ((kept.event.id, "c"), ("another", "a")):
        assert await aws.sequences().finish(event_id, name) is None
    assert await aws.sequences().overdue(NOW, limit=10) == [kept]


async def test_a_step_is_taken_once(aws: AwsStack) -> None:
    kept = sequence()
    after = replace(kept, pending=frozenset("cd"), waves=kept.waves[1:], deadline=NOW + timedelta(minutes=5))
    await aws.sequences().start(kept)
    assert [await aws.sequences().advance(kept, after) for _ in range(2)] == [True, False]
    assert await aws.sequences().overdue(NOW, limit=10) == []
    assert await aws.sequences().overdue(NOW + timedelta(minutes=5), limit=10) == [after]


async def test_what_was_removed_is_not_brought_back_by_a_late_step(aws: AwsStack) -> None:
    kept = sequence()
    assert not await aws.sequences().advance(kept, replace(kept, waves=()))
    assert await aws.sequences().overdue(NOW, limit=10) == []


async def test_overdue_sequences_are_found_a_limited_number_at_a_time(aws: AwsStack) -> None:
    for minutes in (0, 0, 0, 1):
        await aws.sequences().start(sequence(deadline=NOW + timedelta(minutes=minutes)))
    assert len(await aws.sequences().overdue(NOW, limit=2)) == 2
    assert len(await aws.sequences().overdue(NOW, limit=10)) == 3


async def test_a_sequence_that_cannot_be_read_holds_up_no_other(
    aws: AwsStack, caplog: pytest.LogCaptureFixture
) -> None:
    of_another_version, without_its_arguments, sound = sequence(), sequence(content="x" * 300_000), sequence()
    for kept in (of_another_version, without_its_arguments, sound):
        await aws.sequences().start(kept)
    aws.clients.dynamodb.update_item(
        TableName=SEQUENCES_TABLE,
        Key={"event_id": {"S": of_another_version.event.id}},
        UpdateExpression="SET #event = :event",
        ExpressionAttributeNames={"#event": "event"},
        ExpressionAttributeValues={":event": {"S": '{"version": 2}'}},
    )
    await aws.large_events().erase("ana")
    assert await aws.sequences().overdue(NOW, limit=10) == [sound]
    for kept in (of_another_version, without_its_arguments):
        assert f"the sequence of event {kept.event.id} waits" in caplog.text


async def test_dynamodb_may_forget_a_sequence_after_a_week(aws: AwsStack) -> None:
    await aws.sequences().start(sequence())
    (item,) = aws.clients.dynamodb.scan(TableName=SEQUENCES_TABLE)["Items"]
    assert int(item["expires_at"].get("N", "")) == int((NOW + timedelta(days=7)).timestamp())


async def test_without_the_table_the_state_does_not_answer(aws: AwsStack) -> None:
    aws.clients.dynamodb.delete_table(TableName=SEQUENCES_TABLE)
    with pytest.raises(Unavailable):
        await aws.sequences().start(sequence())
    with pytest.raises(Unavailable):
        await aws.sequences().overdue(NOW, limit=1)
