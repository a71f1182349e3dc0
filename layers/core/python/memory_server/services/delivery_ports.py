"""What the services need to see deliveries through: sequences, the log, replays, the plugins' cache. See ports.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from memory_server.services.plugin_ports import PluginRegistration
from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonValue

Waves: TypeAlias = tuple[tuple[str, ...], ...]
"""Ids of plugins by priority, the first first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSequence:
    """An event on its way to plugins of several priorities.

    ``pending`` have it and have not finished, ``waves`` get it after them, at the latest after ``deadline``.
    """

    event: Event
    pending: frozenset[str]
    waves: Waves
    deadline: datetime


class EventSequences(Protocol):
    """The sequences that are under way."""

    async def start(self, sequence: EventSequence) -> frozenset[str]:
        """Keep ``sequence`` and return who is pending; where the event has one already, that one stays as it is.

        Nobody is, where the event's user was erased since it happened.
        """
        ...

    async def finish(self, event_id: str, plugin_id: str) -> EventSequence | None:
        """Take the plugin from those that are pending; return the sequence if that left none."""
        ...

    async def advance(self, before: EventSequence, after: EventSequence) -> bool:
        """Put ``after`` in the place of ``before``; return False, and change nothing, where another has done so."""
        ...

    async def remove(self, event_id: str) -> None: ...

    async def overdue(self, now: datetime, *, limit: int) -> list[EventSequence]:
        """Return at most ``limit`` sequences whose deadline has passed."""
        ...


class PluginCache(Protocol):
    """Values that plugins keep for a while, each plugin its own for each user; None stands for no user.

    Every method raises Unavailable where the cache does not answer.
    """

    async def get(self, plugin_id: str, user_id: str | None, key: str) -> JsonValue:
        """Return the value, or None where there is none or it has expired."""
        ...

    async def set(
        self, plugin_id: str, user_id: str | None, key: str, value: JsonValue, *, ttl_seconds: int
    ) -> None: ...

    async def delete(self, plugin_id: str, user_id: str | None, key: str) -> None: ...


DeliveryResult: TypeAlias = Literal["delivered", "failed", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver an event to a plugin. ``delivery_id`` sorts by time."""

    delivery_id: str
    event_id: str
    hook: str
    result: DeliveryResult
    attempt: int
    at: datetime
    milliseconds: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Deliveries from new to old, and the id that the next page comes after; None where this is the last one."""

    deliveries: Sequence[Delivery]
    next: str | None


class DeliveryLog(Protocol):
    """What the hosts wrote of their deliveries."""

    async def list(
        self, plugin_id: str, *, result: DeliveryResult | None, after: str | None, limit: int
    ) -> DeliveryPage:
        """Raises: Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Events on their way to one plugin again: its dead letters, or what happened from ``since`` to ``until``.

    ``replayed`` counts those that are on their way; ``after`` is the last event of the archive that is.
    """

    replay_id: str
    plugin_id: str
    source: Literal["dead_letters", "archive"]
    started_at: datetime
    since: datetime | None = None
    until: datetime | None = None
    force: bool = False
    done: bool = False
    replayed: int = 0
    after: str | None = None


class Replays(Protocol):
    """The last replay of each plugin. Every method raises Unavailable where the state does not answer."""

    async def start(self, replay: Replay) -> None:
        """Raises: ReplayRunning: the plugin's last replay is not done."""
        ...

    async def get(self, plugin_id: str) -> Replay | None: ...

    async def running(self) -> list[Replay]: ...

    async def save(self, replay: Replay) -> None:
        """Keep how far ``replay`` is, unless the plugin has another by now."""
        ...


class EventArchive(Protocol):
    """Events of change of all users, for as long as the outbox keeps them."""

    async def read(self, replay: Replay, hooks: Sequence[str], *, limit: int) -> list[Event]:
        """Return published events of ``hooks`` in the replay's range, after its last one, oldest first."""
        ...


class DeadLetters(Protocol):
    """The dead-letter queues of the plugins."""

    async def move(self, registration: PluginRegistration, *, sent_before: datetime) -> int:
        """Move some dead letters back to the plugin's queue and return how many; 0 where none is left.

        None is lost: each is sent before it is deleted. One that comes again has no second effect.
        """
        ...


class UserDeadLetters(Protocol):
    """The dead letters of users."""

    async def erase(self, registration: PluginRegistration, user_id: str) -> None:
        """Delete those of the user; the others are there again. Raises: Unavailable: not all could be looked at."""
        ...


class Relay(Protocol):
    """The relay's function, called without waiting for it."""

    async def wake(self) -> None:
        """Let replays begin at once. Where the relay cannot be called, its schedule begins them within a minute."""
        ...
