"""Every hook has a sample that travels as any event does, and parts of it can be replaced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from plugin_kit.envelope import Event, decode, encode
from plugin_kit.errors import EnvelopeError
from plugin_kit.hooks import CATALOGUE
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory, SearchResult
from plugin_kit.samples import sample_arguments, sample_event

TYPES = {"Memory": Memory, "list[SearchResult]": list, "str": str, "JSON": object}


def sample(hook: str, overrides: JsonObject | None = None) -> Event:
    return sample_event(hook, event_id="e", time=datetime(2026, 11, 22, tzinfo=UTC), user_id="ana", overrides=overrides)


@pytest.mark.parametrize("hook", CATALOGUE)
def test_a_sample_has_the_arguments_of_its_hook_and_travels_unchanged(hook: str) -> None:
    arguments = sample_arguments(hook)
    assert list(arguments) == list(CATALOGUE[hook].arguments)
    for name, kind in CATALOGUE[hook].arguments.items():
        assert isinstance(arguments[name], TYPES[kind])
    event = sample(hook)
    assert decode(encode(event)) == event


def test_a_sample_is_of_its_user_and_says_that_it_is_a_test() -> None:
    event = sample("search_performed")
    (found,) = cast("list[SearchResult]", event.args["results"])
    assert (event.user_id, found.memory.user_id, event.metadata) == ("ana", "ana", {"test": True})


def test_what_the_server_does_for_nobody_has_no_user() -> None:
    event = sample("server_started")
    assert (event.user_id, event.session_id, event.project) == (None, None, None)


def test_fields_of_a_memory_and_whole_arguments_can_be_replaced() -> None:
    memory = sample("memory_created", {"memory": {"content": "mine"}}).args["memory"]
    assert isinstance(memory, Memory)
    assert (memory.content, memory.project) == ("mine", "billing")
    assert sample("search_failed", {"query": "mine"}).args["query"] == "mine"


def test_an_override_that_the_hook_does_not_take_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="has no argument memroy: it has memory"):
        sample("memory_created", {"memroy": {}})
    with pytest.raises(EnvelopeError, match="malformed"):
        sample("memory_created", {"memory": "text"})
    with pytest.raises(EnvelopeError, match="it has none"):
        sample("server_started", {"memory": {}})
