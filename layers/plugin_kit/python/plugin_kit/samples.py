"""One realistic sample of each hook's arguments, for trying a hook out: by the server, the command line and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

from plugin_kit.envelope import Argument, Event, decode, encode
from plugin_kit.errors import EnvelopeError
from plugin_kit.hooks import CATALOGUE
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, SearchResult

# What the server does for nobody in particular.
_OF_NO_USER: Final = frozenset({"server_started", "server_stopped", "health_check"})
_CREATED: Final = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
_KEY: Final = "embedding:5f3a9c0e7d1b4f6a8c2e0d9b7a5f3c1e9d7b5a3f1c0e8d6b4a2f0c8e6d4b2a0f"
_QUERY: Final = "Which database does billing use?"


def sample_arguments(hook: str, *, user_id: str = "local") -> dict[str, Argument]:
    """Return the sample arguments of ``hook`` by name; a memory among them is ``user_id``'s.

    Raises:
        KeyError: the catalogue has no such hook.
    """
    memory = Memory(
        id="019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40",
        content="Billing keeps its invoices in PostgreSQL 18, in the schema billing.",
        memory_type="decision",
        project="billing",
        session_id="session-1",
        tags=("database", "billing"),
        importance=0.8,
        metadata={"source": "sample"},
        user_id=user_id,
        created_at=_CREATED,
        updated_at=_CREATED,
    )
    vector: list[JsonValue] = [0.6, 0.8, 0.0]
    samples: Mapping[str, Argument] = {
        "memory": memory,
        "memory_id": memory.id,
        "query": _QUERY,
        "results": [SearchResult(memory=memory, score=0.83)],
        "error": "the embedder does not answer: send the request again in 5 seconds",
        "key": _KEY,
        "value": vector,
    }
    return {name: samples[name] for name in CATALOGUE[hook].arguments}


def sample_event(
    hook: str, *, event_id: str, time: datetime, user_id: str = "local", overrides: JsonObject | None = None
) -> Event:
    """Return a sample event of ``hook`` with ``overrides`` of its arguments, in the JSON form that events have.

    What is given for an argument that is a memory replaces the fields that it names. The event is ``user_id``'s, save
    where the hook tells of the server itself, and its metadata says that it is a test.

    Raises:
        KeyError: the catalogue has no such hook.
        EnvelopeError: an override is not an argument of the hook, or not of its type.
    """
    arguments = sample_arguments(hook, user_id=user_id)
    sample = Event(id=event_id, hook=hook, time=time, args=arguments, metadata={"test": True})
    if hook not in _OF_NO_USER:
        sample = replace(sample, user_id=user_id, session_id="session-1", project="billing")
    if not overrides:
        return sample
    unknown = overrides.keys() - arguments.keys()
    if unknown:
        raise EnvelopeError(
            f"{hook} has no argument {', '.join(sorted(unknown))}: it has {', '.join(arguments) or 'none'}"
        )
    envelope = encode(sample)
    args = cast(JsonObject, envelope["args"])
    return decode({**envelope, "args": {**args, **_merged(args, overrides)}})


def _merged(args: JsonObject, overrides: JsonObject) -> dict[str, JsonValue]:
    return {
        name: {**cast(JsonObject, args[name]), **value}
        if isinstance(args[name], Mapping) and isinstance(value, Mapping)
        else value
        for name, value in overrides.items()
    }
