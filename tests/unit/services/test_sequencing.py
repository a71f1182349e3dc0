"""Plugins of a lower number have finished an event before those of a higher one get it; none waits for ever."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from memory_server.domain.errors import Unavailable
from memory_server.domain.events import caused_by, memory_event, new_event
from memory_server.domain.grants import verify
from memory_server.services.plugin_ports import PluginRegistration, PluginRegistry
from memory_server.services.publisher import WAVE_LIFETIME, Publisher
from memory_server.services.sequencing import Sequencer
from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory
from tests.fixtures.aws import make_registration
from tests.fixtures.sequences import MemorySequences

KEY = b"key"
HOOKS = ("memory_created", "server_started")
LATE = WAVE_LIFETIME + timedelta(seconds=1)


@dataclass
class Bus:
    """Keeps what it takes; it takes nothing while it is ``away``."""

    taken: list[Event] = field(default_factory=list[Event])
    away: bool = False

    async def publish(self, events: Sequence[Event]) -> list[Event]:
        if self.away:
            return list(events)
        self.taken += events
        return []

    async def announce(self, detail_type: str, detail: JsonObject) -> None: ...

    async def ping(self) -> None: ...


@dataclass
class Registry:
    """Plugins by their priorities; all are enabled but the ``disabled``."""

    priorities: dict[str, int]
    disabled: set[str] = field(default_factory=set[str])

    async def list(self) -> list[PluginRegistration]:
        return [
            make_registration(plugin_id, priority=priority, hooks=HOOKS, enabled=plugin_id not in self.disabled)
            for plugin_id, priority in self.priorities.items()
        ]


@dataclass
class Clock:
    """A clock that stands where a test sets it."""

    time: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Stage:
    """A publisher and a sequencer over plugins of the given priorities."""

    def __init__(self, **priorities: int) -> None:
        self.registry = Registry(priorities)
        self.clock = Clock()
        self.bus = Bus()
        self.sequences = MemorySequences()
        self.publisher = Publisher(cast(PluginRegistry, self.registry), self.bus, self.sequences, KEY, self.clock)
        self.sequencer = Sequencer(self.sequences, self.publisher, self.clock)

    async def publish(self, *events: Event) -> list[Event]:
        return await self.publisher.publish(events)

    async def overdue(self, after: timedelta = LATE) -> int:
        """Let the relay look again, so much later."""
        self.clock.time += after
        return await self.sequencer.advance_overdue(lambda: True)

    def got(self) -> list[tuple[str, ...]]:
        """Return to whom the bus took events since the last look."""
        taken = [event.plugins for event in self.bus.taken]
        self.bus.taken.clear()
        return taken


@pytest.fixture
def stage() -> Stage:
    return Stage(first=1, left=5, right=5)


def created() -> Event:
    return memory_event("memory_created", Memory(id="m", content="text", user_id="ana"))


async def test_the_first_gets_an_event_alone_and_the_others_when_it_has_finished(stage: Stage) -> None:
    event = created()
    assert await stage.publish(event) == []
    assert [taken.sequenced for taken in stage.bus.taken] == [True]
    assert stage.got() == [("first",)]
    await stage.sequencer.finished(event.id, "first")
    assert [(taken.id, taken.sequenced) for taken in stage.bus.taken] == [(event.id, False)]
    assert stage.got() == [("left", "right")]
    assert stage.sequences.kept == {}


async def test_plugins_of_one_priority_are_kept_in_no_sequence() -> None:
    stage = Stage(left=5, right=5)
    stage.sequences.away = True
    assert await stage.publish(created(), created()) == []
    assert stage.got() == [("left", "right")] * 2
    assert not any(event.sequenced for event in stage.bus.taken)


async def test_every_one_of_a_priority_must_finish_before_the_next_get_the_event() -> None:
    stage = Stage(a=1, b=1, c=2, d=3)
    await stage.publish(event := created())
    await stage.sequencer.finished(event.id, "a")
    await stage.sequencer.finished(event.id, "a")
    await stage.sequencer.finished(event.id, "c")
    assert stage.got() == [("a", "b")]
    await stage.sequencer.finished(event.id, "b")
    assert stage.got() == [("c",)]
    await stage.sequencer.finished(event.id, "b")
    assert stage.got() == []
    await stage.sequencer.finished(event.id, "c")
    assert stage.got() == [("d",)]


async def test_over_many_events_in_any_order_each_plugin_gets_each_once_and_never_before_its_turn() -> None:
    stage = Stage(first=1, left=5, right=5, last=9)
    chance = random.Random(1)  # noqa: S311  # no secret: the same order each time
    events = [created() for _ in range(200)]
    await stage.publish(*events)
    waiting = [(taken.id, plugin) for taken in stage.bus.taken for plugin in taken.plugins]
    stage.bus.taken.clear()
    finished: dict[str, list[str]] = {event.id: [] for event in events}
    while waiting:
        event_id, plugin = waiting.pop(chance.randrange(len(waiting)))
        finished[event_id].append(plugin)
        await stage.sequencer.finished(event_id, plugin)
        waiting += [(taken.id, following) for taken in stage.bus.taken for following in taken.plugins]
        stage.bus.taken.clear()
    for order in finished.values():
        assert order in (["first", "left", "right", "last"], ["first", "right", "left", "last"])
    assert stage.sequences.kept == {}


async def test_the_grant_of_an_event_names_those_who_have_it_now_even_where_it_has_no_user(stage: Stage) -> None:
    for event, user_id in ((created(), "ana"), (new_event("server_started", None, {}), None)):
        await stage.publish(event)
        (taken,) = stage.bus.taken
        grant = verify(taken.grant, KEY, plugin_id="first", now=stage.clock.now())
        assert (grant.event_id, grant.user_id, grant.plugins) == (event.id, user_id, ("first",))
        stage.got()


async def test_a_plugin_that_caused_an_event_is_left_out_and_what_is_left_may_be_one_priority(stage: Stage) -> None:
    with caused_by(("first",)):
        event = created()
    await stage.publish(event)
    assert stage.got() == [("left", "right")]
    assert stage.sequences.kept == {}


async def test_an_event_that_is_published_again_goes_to_those_that_it_is_with(stage: Stage) -> None:
    stage.registry.priorities["last"] = 9
    await stage.publish(event := created())
    await stage.publish(event)
    assert stage.got() == [("first",), ("first",)]
    await stage.sequencer.finished(event.id, "first")
    await stage.publish(event)
    assert stage.got() == [("left", "right"), ("left", "right")]


async def test_without_a_place_for_its_sequence_an_event_is_refused_and_others_are_published(stage: Stage) -> None:
    stage.registry.priorities = {"first": 1, "second": 2}
    stage.sequences.away = True
    refused = created()
    with caused_by(("first",)):
        taken = created()
    assert await stage.publish(refused, taken) == [refused]
    assert stage.got() == [("second",)]


async def test_who_was_disabled_meanwhile_is_passed_over() -> None:
    stage = Stage(a=1, b=2, c=3)
    await stage.publish(event := created())
    stage.registry.disabled = {"b"}
    stage.publisher.forget()
    await stage.sequencer.finished(event.id, "a")
    assert stage.got() == [("a",), ("c",)]
    assert stage.sequences.kept == {}


async def test_a_plugin_that_never_finishes_holds_the_others_for_five_minutes_and_no_longer(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.publish(event := created())
    assert await stage.overdue(timedelta(minutes=4)) == 0
    assert stage.got() == [("first",)]
    assert await stage.overdue() == 1
    # The first gets it again, in case a crash kept it from getting it at all.
    assert stage.got() == [("first",), ("left", "right")]
    assert f"plugins ['first'] have not finished event {event.id} in time" in caplog.text
    await stage.sequencer.finished(event.id, "first")
    assert (await stage.overdue(), stage.got()) == (0, [])


async def test_a_priority_in_the_middle_gets_time_of_its_own() -> None:
    stage = Stage(a=1, b=2, c=3)
    await stage.publish(created())
    assert [await stage.overdue(), await stage.overdue(timedelta(minutes=4)), await stage.overdue()] == [1, 0, 1]
    assert stage.got() == [("a",), ("a",), ("b",), ("b",), ("c",)]


async def test_an_event_that_a_crash_kept_from_its_first_plugins_reaches_them_late(stage: Stage) -> None:
    stage.bus.away = True
    event = created()
    assert await stage.publish(event) == [event]
    stage.bus.away = False
    assert await stage.overdue() == 1
    assert stage.got() == [("first",), ("left", "right")]


async def test_an_event_that_a_crash_kept_from_its_next_plugins_reaches_them_late() -> None:
    stage = Stage(a=1, b=2, c=3)
    await stage.publish(event := created())
    stage.bus.away = True
    await stage.sequencer.finished(event.id, "a")
    assert await stage.overdue() == 0
    stage.bus.away = False
    stage.got()
    assert await stage.overdue() == 1
    assert stage.got() == [("b",), ("c",)]


async def test_an_event_that_the_bus_refuses_at_the_end_is_kept_until_it_takes_it(stage: Stage) -> None:
    await stage.publish(event := created())
    stage.bus.away = True
    await stage.sequencer.finished(event.id, "first")
    assert event.id in stage.sequences.kept
    stage.bus.away = False
    stage.got()
    assert await stage.overdue() == 1
    assert stage.got() == [("left", "right")]


async def test_a_relay_without_time_leaves_the_rest_to_the_next(stage: Stage) -> None:
    await stage.publish(created(), created())
    stage.clock.time += LATE
    times = iter([True, True, False, False])
    assert await stage.sequencer.advance_overdue(lambda: next(times)) == 1
    assert await stage.sequencer.advance_overdue(lambda: True) == 1


async def test_without_the_registry_nothing_is_published_and_nothing_is_lost(stage: Stage) -> None:
    async def away() -> list[PluginRegistration]:
        raise Unavailable("plugin state")

    await stage.publish(event := created())
    stage.got()
    listed, stage.registry.list = stage.registry.list, away
    stage.publisher.forget()
    with pytest.raises(Unavailable):
        await stage.sequencer.finished(event.id, "first")
    stage.registry.list = listed
    assert await stage.overdue() == 1
    assert stage.got() == [("left", "right")]
