"""Events go over EventBridge into the queues of the plugins that they name."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from memory_server.adapters.eventbridge_bus import EventBridgeBus
from memory_server.adapters.large_events import MAX_DETAIL_BYTES, LargeEvents
from memory_server.domain.errors import Unavailable
from memory_server.domain.events import memory_event
from plugin_kit.envelope import Event, decode, encode
from plugin_kit.models import Memory
from tests.fixtures.aws import BUCKET, BUS, AwsStack


def event(content: str = "text", plugins: tuple[str, ...] = ("analytics",), metadata_bytes: int = 0) -> Event:
    memory = Memory(id="m", content=content, metadata={"blob": "x" * metadata_bytes})
    made = memory_event("memory_created", memory)
    return Event(id=made.id, hook=made.hook, time=made.time, args=made.args, user_id="ana", plugins=plugins)


async def test_an_event_reaches_the_queues_of_its_plugins_and_no_other(aws: AwsStack) -> None:
    analytics, backup, other = map(aws.make_queue, ("analytics", "backup", "other"))
    sent = event(plugins=("analytics", "backup"))
    assert await aws.bus().publish([sent]) == []
    assert aws.received(analytics) == [encode(sent)]
    assert aws.received(backup) == [encode(sent)]
    assert aws.received(other) == []


async def test_more_events_than_one_call_takes_all_arrive_once(aws: AwsStack) -> None:
    queue = aws.make_queue("analytics")
    events = [event() for _ in range(45)]
    assert await aws.bus().publish(events) == []
    assert sorted(str(detail["id"]) for detail in aws.received(queue)) == sorted(sent.id for sent in events)


async def test_no_call_is_larger_than_eventbridge_takes(aws: AwsStack) -> None:
    sizes: list[tuple[int, int]] = []

    def measure(params: dict[str, Any], **_: object) -> None:
        details = [len(entry["Detail"].encode()) for entry in params["Entries"]]
        sizes.append((len(details), sum(details)))

    aws.clients.events.meta.events.register("before-parameter-build.events.PutEvents", measure)
    assert await aws.bus().publish([event(metadata_bytes=240_000) for _ in range(9)]) == []
    assert sum(entries for entries, _ in sizes) == 9
    assert max(size for _, size in sizes) < 1_000_000


async def test_arguments_that_are_too_large_go_by_reference(aws: AwsStack) -> None:
    queue = aws.make_queue("analytics")
    sent = event("ä" * 20_000, metadata_bytes=MAX_DETAIL_BYTES)
    assert await aws.bus().publish([sent]) == []
    (detail,) = aws.received(queue)
    reference = cast("dict[str, str]", detail["args_ref"])
    assert reference["bucket"] == BUCKET
    assert reference["key"].endswith(f"/{sent.id}.json")
    assert "args" not in detail
    stored = aws.clients.s3.get_object(Bucket=BUCKET, Key=reference["key"])["Body"].read()
    assert decode({**detail, "args": json.loads(stored)}) == sent


async def test_an_event_whose_arguments_cannot_be_stored_is_returned_and_the_others_go(aws: AwsStack) -> None:
    queue = aws.make_queue("analytics")
    bus = EventBridgeBus(aws.clients.events, BUS, LargeEvents(aws.clients.s3, "no-such-bucket", aws.erasures()))
    large, small = event(metadata_bytes=MAX_DETAIL_BYTES), event()
    assert await bus.publish([large, small]) == [large]
    assert aws.received(queue) == [encode(small)]


async def test_events_that_the_bus_refuses_one_by_one_are_returned(aws: AwsStack) -> None:
    def spoil(params: dict[str, Any], **_: object) -> None:
        params["Entries"][1]["Detail"] = "not JSON"

    queue = aws.make_queue("analytics")
    aws.clients.events.meta.events.register("before-parameter-build.events.PutEvents", spoil)
    events = [event(), event(), event()]
    assert await aws.bus().publish(events) == [events[1]]
    assert aws.received(queue) == [encode(events[0]), encode(events[2])]


async def test_all_events_are_returned_where_there_is_no_bus(aws: AwsStack) -> None:
    bus = EventBridgeBus(aws.clients.events, "no-such-bus", aws.large_events())
    events = [event(), event()]
    assert await bus.publish(events) == events
    with pytest.raises(Unavailable, match="event bus"):
        await bus.ping()


async def test_a_bus_that_is_there_answers_a_ping(aws: AwsStack) -> None:
    await aws.bus().ping()
