"""What goes onto the wire comes back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin_kit.envelope import Argument, Event, decode, encode
from plugin_kit.errors import EnvelopeError
from plugin_kit.hooks import CATALOGUE, Hook
from plugin_kit.json_types import JsonValue, dumps
from plugin_kit.models import MEMORY_TYPES, Memory, SearchResult

# Lone surrogates are no text: UTF-8 has no bytes for them.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
MAYBE_TEXT = st.none() | TEXT
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
MEMORIES = st.builds(
    Memory,
    id=TEXT,
    content=TEXT,
    memory_type=st.sampled_from(MEMORY_TYPES),
    project=MAYBE_TEXT,
    session_id=MAYBE_TEXT,
    tags=st.lists(TEXT, max_size=3).map(tuple),
    importance=st.floats(0, 1),
    metadata=st.dictionaries(TEXT, JSON, max_size=3),
    user_id=TEXT,
    version=st.integers(1),
    created_at=st.none() | TIMES,
    updated_at=st.none() | TIMES,
    expires_at=st.none() | TIMES,
)
ARGUMENTS: dict[str, st.SearchStrategy[Argument]] = {
    "Memory": MEMORIES,
    "list[SearchResult]": st.lists(st.builds(SearchResult, memory=MEMORIES, score=FINITE), max_size=2),
    "str": TEXT,
    "JSON": JSON,
}


def events_of(hook: Hook) -> st.SearchStrategy[Event]:
    return st.builds(
        Event,
        id=TEXT,
        hook=st.just(hook.name),
        time=TIMES,
        args=st.fixed_dictionaries({name: ARGUMENTS[kind] for name, kind in hook.arguments.items()}),
        user_id=MAYBE_TEXT,
        session_id=MAYBE_TEXT,
        project=MAYBE_TEXT,
        metadata=st.dictionaries(TEXT, JSON, max_size=3),
        plugins=st.lists(TEXT, max_size=3).map(tuple),
        grant=MAYBE_TEXT,
        sequenced=st.booleans(),
    )


EVENT = Event(
    id="01890a5d-ac96-774b-bcce-b302099a8057",
    hook="memory_created",
    time=datetime(2026, 11, 22, 12, tzinfo=UTC),
    args={"memory": Memory(id="1", content="The cat sleeps.")},
)


@settings(deadline=None)  # the machine may be busy
@given(memory=MEMORIES)
def test_any_memory_comes_back_from_json_as_it_was(memory: Memory) -> None:
    assert Memory.from_dict(json.loads(dumps(memory.to_dict()))) == memory


@settings(deadline=None)  # the machine may be busy
@given(event=st.sampled_from(list(CATALOGUE.values())).flatmap(events_of))
def test_any_event_of_any_hook_comes_back_from_json_as_it_was(event: Event) -> None:
    assert decode(json.loads(dumps(encode(event)))) == event


def test_keys_of_a_newer_server_are_passed_over() -> None:
    detail = encode(EVENT)
    assert decode({**detail, "colour": "red"}) == EVENT


def test_an_envelope_of_another_version_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(EnvelopeError, match=r"envelope version 2, this kit reads 1: deploy the plugin again"):
        decode({**encode(EVENT), "version": 2})


def test_an_unknown_hook_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="unknown hook 'memory_dreamt'"):
        decode(encode(replace(EVENT, hook="memory_dreamt")))


@pytest.mark.parametrize(
    "part", [{"args": {}}, {"time": "yesterday"}, {"args": {"memory": {"id": "1"}}}, {"args": {"memory": "text"}}]
)
def test_a_malformed_part_is_refused_by_the_name_of_its_hook(part: dict[str, JsonValue]) -> None:
    with pytest.raises(EnvelopeError, match="event of hook memory_created is malformed"):
        decode({**encode(EVENT), **part})
