"""A plugin gets events again, from its dead letters or from the archive, and no other plugin does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from memory_server.domain.errors import ReplayRunning
from memory_server.domain.events import new_id
from memory_server.domain.principals import Principal
from memory_server.repository.database import PostgresDatabase
from memory_server.services.delivery_ports import Replay
from memory_server.services.plugin_replay import BATCH
from memory_server.services.relay import Relay
from plugin_kit.envelope import Event
from tests.fixtures.aws import BUS, AwsStack, make_registration
from tests.integration.relay.outbox import leave


@dataclass
class Stage:
    """Two plugins with queues, of which ``analytics`` gets events again."""

    aws: AwsStack
    relay: Relay
    queue: str
    dead: str
    other: str

    async def replay(self, **changes: object) -> Replay:
        """Return the replay that the relay has done, or gone on with."""
        replay = make_replay(**changes)
        await self.aws.replays().start(replay)
        return await self.go_on()

    async def go_on(self) -> Replay:
        await self.relay.replay(lambda: True)
        done = await self.aws.replays().get("analytics")
        assert done is not None
        return done

    def received(self) -> list[str]:
        assert self.aws.received(self.other) == []
        return [str(detail["id"]) for detail in self.aws.received(self.queue)]


def make_replay(**changes: object) -> Replay:
    fields: dict[str, object] = {
        "replay_id": new_id(),
        "plugin_id": "analytics",
        "source": "archive",
        "started_at": datetime.now(UTC) + timedelta(seconds=1),
    }
    return Replay(**{**fields, **changes})  # pyright: ignore[reportArgumentType]  # tests give right ones


@pytest.fixture
async def stage(aws: AwsStack, relay: Relay) -> Stage:
    queue, other = aws.make_queue("analytics"), aws.make_queue("other")
    dead = aws.clients.sqs.create_queue(QueueName="dead")["QueueUrl"]
    await aws.registry().register(make_registration("analytics", queue_url=queue, dead_letter_queue_url=dead))
    await aws.registry().register(make_registration("other", queue_url=other))
    return Stage(aws, relay, queue, dead, other)


async def published(memories: PostgresDatabase, number: int, hook: str = "memory_created") -> list[Event]:
    """Leave events in the outbox that were published."""
    events = await leave(memories, *["ana"] * number, hook=hook)
    async with memories.transaction(Principal("ana")) as unit:
        await unit.outbox.mark_published([event.id for event in events])
    return events


async def a_moment() -> datetime:
    """Return a time that is in no millisecond of any event's: ids tell it to the millisecond."""
    await asyncio.sleep(0.002)
    now = datetime.now(UTC)
    await asyncio.sleep(0.002)
    return now


async def test_the_archive_gives_the_events_of_a_range_of_time_whose_hooks_the_plugin_has(
    stage: Stage, memories: PostgresDatabase
) -> None:
    await published(memories, 1)
    since = await a_moment()
    within = await published(memories, 2)
    await published(memories, 1, hook="memory_deleted")
    until = await a_moment()
    await published(memories, 1)
    replay = await stage.replay(since=since, until=until)
    assert (replay.done, replay.replayed) == (True, 2)
    assert stage.received() == [event.id for event in within]


async def test_what_is_not_published_yet_is_not_replayed(stage: Stage, memories: PostgresDatabase) -> None:
    await leave(memories, "ana")
    assert (await stage.replay()).replayed == 0


async def test_a_replay_by_force_marks_its_events_with_its_id(stage: Stage, memories: PostgresDatabase) -> None:
    await published(memories, 1)
    await stage.replay()
    (plain,) = stage.aws.received(stage.queue)
    replay = await stage.replay(force=True)
    (forced,) = stage.aws.received(stage.queue)
    assert plain["metadata"] == {}
    assert forced["metadata"] == {"replay": replay.replay_id}
    assert forced["plugins"] == ["analytics"]


async def test_an_archive_of_several_batches_is_replayed_whole(stage: Stage, memories: PostgresDatabase) -> None:
    async with memories.transaction(Principal("ana")) as unit:
        (sample,) = await leave(memories, "ana")
        events = [sample, *(replace(sample, id=new_id()) for _ in range(BATCH + 5))]
        await unit.outbox.append(events[1:])
        await unit.outbox.mark_published([event.id for event in events])
    assert (await stage.replay()).replayed == BATCH + 6
    assert sorted(stage.received()) == sorted(event.id for event in events)


async def test_a_replay_that_the_bus_stops_goes_on_where_it_was(stage: Stage, memories: PostgresDatabase) -> None:
    (event,) = await published(memories, 1)
    stage.aws.clients.events.delete_event_bus(Name=BUS)
    assert not (await stage.replay()).done
    stage.aws.clients.events.create_event_bus(Name=BUS)
    stage.queue = stage.aws.make_queue("analytics")
    assert (await stage.go_on()).done
    assert stage.received() == [event.id]


async def test_a_replay_waits_while_its_plugin_is_disabled(stage: Stage, memories: PostgresDatabase) -> None:
    (event,) = await published(memories, 1)
    await stage.aws.registry().set_enabled("analytics", False)
    assert not (await stage.replay()).done
    await stage.aws.registry().set_enabled("analytics", True)
    assert (await stage.go_on()).done
    assert stage.received() == [event.id]


async def test_one_replay_a_plugin_runs_at_a_time(stage: Stage) -> None:
    replays = stage.aws.replays()
    await replays.start(first := make_replay())
    with pytest.raises(ReplayRunning):
        await replays.start(make_replay())
    await replays.save(replace(first, done=True))
    await replays.start(second := make_replay())
    await replays.save(replace(first, replayed=7))
    assert await replays.get("analytics") == second


async def test_dead_letters_go_back_to_the_queue_and_leave_their_own(stage: Stage) -> None:
    sqs = stage.aws.clients.sqs
    for number in range(12):
        sqs.send_message(QueueUrl=stage.dead, MessageBody=json.dumps({"detail": {"id": str(number)}}))
    replay = await stage.replay(source="dead_letters")
    assert (replay.done, replay.replayed) == (True, 12)
    assert sorted(map(int, stage.received())) == list(range(12))
    assert stage.aws.received(stage.dead) == []


async def test_what_failed_again_since_the_replay_began_stays_a_dead_letter(stage: Stage) -> None:
    stage.aws.clients.sqs.send_message(QueueUrl=stage.dead, MessageBody=json.dumps({"detail": {"id": "again"}}))
    replay = await stage.replay(source="dead_letters", started_at=datetime.now(UTC) - timedelta(seconds=5))
    assert (replay.done, replay.replayed) == (True, 0)
    assert [detail["id"] for detail in stage.aws.received(stage.dead)] == ["again"]


async def test_a_dead_letter_that_cannot_be_sent_is_not_lost(stage: Stage) -> None:
    registry, sqs = stage.aws.registry(), stage.aws.clients.sqs
    sqs.send_message(QueueUrl=stage.dead, MessageBody=json.dumps({"detail": {"id": "precious"}}))
    await registry.register(replace(await registry.get("analytics"), queue_url=f"{stage.queue}-gone"))
    assert not (await stage.replay(source="dead_letters")).done
    hidden = sqs.get_queue_attributes(QueueUrl=stage.dead, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    assert hidden["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
