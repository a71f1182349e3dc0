"""Making events: each has a UUIDv7 of its own, so events sort by the time they happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import uuid_utils

from memory_server.domain.principals import Principal
from plugin_kit.envelope import Argument, Event
from plugin_kit.hooks import CATALOGUE
from plugin_kit.models import Memory


def new_id() -> str:
    """Return a new UUIDv7 as text."""
    return str(uuid_utils.uuid7())


def new_event(
    hook: str,
    principal: Principal | None,
    args: Mapping[str, Argument],
    *,
    session_id: str | None = None,
    project: str | None = None,
) -> Event:
    """Return the event that ``hook`` happened now to ``principal`` with exactly the catalogue's ``args``."""
    assert CATALOGUE[hook].arguments.keys() == args.keys(), hook  # noqa: S101  # a slip of ours, not of a client
    return Event(
        id=new_id(),
        hook=hook,
        time=datetime.now(UTC),
        args=args,
        user_id=None if principal is None else principal.user_id,
        session_id=session_id,
        project=project,
    )


def memory_event(hook: str, memory: Memory) -> Event:
    """Return the event that ``hook`` happened to ``memory``, with the memory's user, session and project."""
    name = next(iter(CATALOGUE[hook].arguments))
    return new_event(
        hook,
        Principal(memory.user_id),
        {name: memory.id if name == "memory_id" else memory},
        session_id=memory.session_id,
        project=memory.project,
    )
