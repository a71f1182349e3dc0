"""Making events: each has a UUIDv7 of its own, so events sort by the time they happened."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from time import perf_counter
from typing import cast

import uuid_utils

from memory_server.domain.principals import Principal
from plugin_kit.envelope import Argument, Event
from plugin_kit.hooks import CATALOGUE
from plugin_kit.models import Memory

_causes: ContextVar[tuple[str, ...]] = ContextVar("causes", default=())


def new_id() -> str:
    """Return a new UUIDv7 as text."""
    return str(uuid_utils.uuid7())


@contextmanager
def caused_by(plugin_ids: tuple[str, ...]) -> Generator[None]:
    """Mark the events that are made inside as the doing of these plugins, the latest one last.

    The mark is the event's ``metadata["caused_by"]``. An event is never delivered to a plugin that is among its causes,
    so that plugins which answer events with changes cannot set each other off for ever.
    """
    token = _causes.set(plugin_ids)
    try:
        yield
    finally:
        _causes.reset(token)


def causes_of(event: Event) -> tuple[str, ...]:
    """Return the ids of the plugins that led to ``event``; none for what a client did."""
    return tuple(cast("list[str]", event.metadata.get("caused_by") or ()))


def new_event(
    hook: str,
    principal: Principal | None,
    args: Mapping[str, Argument],
    *,
    session_id: str | None = None,
    project: str | None = None,
    began: float | None = None,
) -> Event:
    """Return the event that ``hook`` happened now to ``principal`` with exactly the catalogue's ``args``.

    ``began`` is when the operation began, by ``perf_counter``: the event tells how long it took.
    """
    assert CATALOGUE[hook].arguments.keys() == args.keys(), hook  # noqa: S101  # a slip of ours, not of a client
    return Event(
        id=new_id(),
        hook=hook,
        time=datetime.now(UTC),
        args=args,
        user_id=None if principal is None else principal.user_id,
        session_id=session_id,
        project=project,
        metadata={
            **({"caused_by": list(causes)} if (causes := _causes.get()) else {}),
            **({} if began is None else {"duration_ms": round((perf_counter() - began) * 1000, 3)}),
        },
    )


def memory_event(hook: str, memory: Memory, *, began: float | None = None) -> Event:
    """Return the event that ``hook`` happened to ``memory``, with the memory's user, session and project."""
    name = next(iter(CATALOGUE[hook].arguments))
    return new_event(
        hook,
        Principal(memory.user_id),
        {name: memory.id if name == "memory_id" else memory},
        session_id=memory.session_id,
        project=memory.project,
        began=began,
    )
