"""Events reach the plugins that want them, once, and a part that is away loses no event of change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from memory_server.domain.errors import Unavailable
from memory_server.domain.events import caused_by, memory_event, new_event
from memory_server.domain.grants import verify
from memory_server.domain.principals import Principal
from memory_server.services.events import MAX_OBSERVATIONS, Events
from memory_server.services.plugin_ports import PluginRegistration, PluginRegistry
from memory_server.services.ports import Database, UnitOfWork
from memory_server.services.publisher import Publisher
from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory
from tests.fixtures.sequences import MemorySequences

KEY = b"key"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass
class SetClock:
    """A clock that stands where a test sets it."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


def registration(plugin_id: str, *hooks: str, enabled: bool = True) -> PluginRegistration:
    return PluginRegistration(
        plugin_id=plugin_id,
        name=plugin_id,
        version="1.0.0",
        description="",
        author="",
        hooks=hooks,
        priority=100,
        permissions=(),
        enabled=enabled,
        registered_at=NOW,
        function_arn="",
        queue_url="",
        dead_letter_queue_url="",
        manifest={},
    )


@dataclass
class MemoryRegistry:
    """The part of a registry that publishing asks."""

    plugins: list[PluginRegistration]
    away: bool = False
    reads: int = 0

    async def list(self) -> list[PluginRegistration]:
        self.reads += 1
        if self.away:
            raise Unavailable("plugin state")
        return self.plugins


@dataclass
class MemoryBus:
    """A bus that takes all but the ``refused`` hooks, and waits at its ``gate``."""

    refused: set[str] = field(default_factory=set[str])
    taken: list[Event] = field(default_factory=list[Event])
    gate: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, events: Sequence[Event]) -> list[Event]:
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        self.taken += [event for event in events if event.hook not in self.refused]
        return [event for event in events if event.hook in self.refused]

    async def announce(self, detail_type: str, detail: JsonObject) -> None: ...

    async def ping(self) -> None: ...


class MemoryOutbox:
    """The marks of an outbox, by user; it is the unit of work too, whose other parts publishing does not use."""

    def __init__(self) -> None:
        self.marked: dict[str, set[str]] = {}
        self.away = False
        self._user_id = ""

    @property
    def outbox(self) -> MemoryOutbox:
        return self

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        self.marked.setdefault(self._user_id, set()).update(event_ids)

    @asynccontextmanager
    async def transaction(self, principal: Principal) -> AsyncGenerator[UnitOfWork]:
        if self.away:
            raise Unavailable("database")
        self._user_id = principal.user_id
        yield cast(UnitOfWork, self)


@dataclass
class Stage:
    """The events of one process, with what stands around them."""

    registry: MemoryRegistry
    bus: MemoryBus = field(default_factory=MemoryBus)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        publisher = Publisher(cast(PluginRegistry, self.registry), self.bus, MemorySequences(), KEY, self.clock)
        self.events = Events(publisher, cast(Database, self.outbox))

    @property
    def taken_ids(self) -> list[str]:
        return [event.id for event in self.bus.taken]


@pytest.fixture
def stage() -> Stage:
    return Stage(MemoryRegistry([registration("analytics", "memory_created", "memory_retrieved")]))


def created(user_id: str = "ana") -> Event:
    return memory_event("memory_created", Memory(id="m", content="text", user_id=user_id))


def retrieved() -> Event:
    return memory_event("memory_retrieved", Memory(id="m", content="text", user_id="ana"))


async def test_a_change_is_published_and_marked_for_its_user(stage: Stage) -> None:
    of_ana, of_bob = created("ana"), created("bob")
    stage.events.committed([of_ana, of_bob])
    await stage.events.flush()
    assert stage.taken_ids == [of_ana.id, of_bob.id]
    assert stage.outbox.marked == {"ana": {of_ana.id}, "bob": {of_bob.id}}


async def test_an_event_goes_to_the_enabled_plugins_that_want_its_hook(stage: Stage) -> None:
    stage.registry.plugins += [
        registration("backup", "memory_created"),
        registration("sleeper", "memory_created", enabled=False),
        registration("reader", "memory_deleted"),
    ]
    stage.events.committed([created()])
    await stage.events.flush()
    assert [event.plugins for event in stage.bus.taken] == [("analytics", "backup")]


async def test_the_grant_of_an_event_names_its_user_and_its_plugins(stage: Stage) -> None:
    stage.events.committed([event := created("bob")])
    await stage.events.flush()
    grant = verify(stage.bus.taken[0].grant, KEY, plugin_id="analytics", now=NOW)
    assert (grant.event_id, grant.user_id, grant.plugins) == (event.id, "bob", ("analytics",))


async def test_an_event_of_no_user_carries_no_grant(stage: Stage) -> None:
    stage.registry.plugins = [registration("monitor", "server_started")]
    stage.events.observed([new_event("server_started", None, {})])
    await stage.events.flush()
    assert [event.grant for event in stage.bus.taken] == [None]


async def test_a_change_that_no_plugin_wants_is_marked_without_the_bus(stage: Stage) -> None:
    stage.registry.plugins = []
    stage.events.committed([event := created()])
    await stage.events.flush()
    assert stage.bus.taken == []
    assert stage.outbox.marked == {"ana": {event.id}}


async def test_a_plugin_does_not_get_what_it_caused(stage: Stage) -> None:
    stage.registry.plugins += [registration("tagger", "memory_created"), registration("linker", "memory_created")]
    with caused_by(("tagger", "linker")):
        event = created()
    stage.events.committed([event])
    await stage.events.flush()
    assert [taken.plugins for taken in stage.bus.taken] == [("analytics",)]
    assert event.metadata == {"caused_by": ["tagger", "linker"]}
    grant = verify(stage.bus.taken[0].grant, KEY, plugin_id="analytics", now=NOW)
    assert grant.caused_by == ("tagger", "linker")


async def test_a_change_that_the_bus_refuses_stays_for_the_relay(stage: Stage) -> None:
    stage.registry.plugins.append(registration("updates", "memory_updated"))
    stage.bus.refused = {"memory_created"}
    refused = created()
    taken = replace(created(), hook="memory_updated")
    stage.events.committed([refused, taken])
    await stage.events.flush()
    assert stage.outbox.marked == {"ana": {taken.id}}


async def test_an_observation_that_the_bus_refuses_is_lost_with_one_line_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.bus.refused = {"memory_retrieved"}
    stage.events.observed([retrieved(), retrieved()])
    await stage.events.flush()
    stage.bus.refused = set()
    await stage.events.flush()
    assert stage.bus.taken == []
    assert [record.getMessage() for record in caplog.records] == ["2 events of observation are lost"]


async def test_without_the_registry_nothing_is_published_and_no_change_is_marked(stage: Stage) -> None:
    stage.registry.away = True
    stage.events.committed([created()])
    stage.events.observed([retrieved()])
    await stage.events.flush()
    stage.registry.away = False
    await stage.events.flush()
    assert (stage.bus.taken, stage.outbox.marked) == ([], {})


async def test_a_database_that_is_away_does_not_stop_the_publishing(stage: Stage) -> None:
    stage.outbox.away = True
    stage.events.committed([event := created()])
    await stage.events.flush()
    assert stage.taken_ids == [event.id]


async def test_the_registry_is_asked_again_after_five_seconds_and_where_the_clock_was_set_back(stage: Stage) -> None:
    for seconds, reads in ((0, 1), (4.9, 1), (5, 2), (9.9, 2), (-60, 3)):
        stage.clock.time = NOW + timedelta(seconds=seconds)
        stage.events.committed([created()])
        await stage.events.flush()
        assert stage.registry.reads == reads


async def test_a_second_flush_returns_at_once_and_the_first_publishes_what_came_meanwhile(stage: Stage) -> None:
    stage.bus.gate = asyncio.Event()
    stage.events.committed([first := created()])
    running = asyncio.create_task(stage.events.flush())
    await stage.bus.reached.wait()
    stage.events.committed([second := created()])
    await asyncio.wait_for(stage.events.flush(), timeout=1)
    assert stage.bus.taken == []
    stage.bus.gate.set()
    await running
    assert stage.taken_ids == [first.id, second.id]
    assert stage.outbox.marked == {"ana": {first.id, second.id}}


async def test_too_many_observations_push_the_oldest_out(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    events = [retrieved() for _ in range(MAX_OBSERVATIONS + 2)]
    for event in events:
        stage.events.observed([event])
    await stage.events.flush()
    assert stage.taken_ids == [event.id for event in events[2:]]
    assert "2 events of observation are lost" in caplog.text
