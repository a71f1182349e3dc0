"""A plugin reads and writes the memories of its event's user, as a client of the user would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, SearchResult
from tests.fixtures.aws import AwsStack
from tests.integration.gateway.conftest import ALL_PERMISSIONS, Plugin


def memory_of(value: JsonValue) -> Memory:
    return Memory.from_dict(cast(JsonObject, value))


def memories_of(value: JsonValue) -> list[Memory]:
    return [memory_of(item) for item in cast(Sequence[JsonValue], value)]


def test_what_a_plugin_creates_it_can_get_list_and_find(plugin: Plugin) -> None:
    created = memory_of(
        plugin.ok(
            "memory.create",
            content="Lisbon lies on seven hills",
            memory_type="context",
            project="travel",
            session_id="s",
            tags=["city", "hills"],
            importance=0.9,
            metadata={"source": "guide"},
            expires_at="2099-01-01T00:00:00+00:00",
        )
    )
    plugin.ok("memory.create", content="Tuesday is for laundry")
    assert (created.user_id, created.tags, created.importance) == ("ana", ("city", "hills"), 0.9)
    assert memory_of(plugin.ok("memory.get", memory_id=created.id)) == created
    assert memories_of(plugin.ok("memory.list", project="travel", limit=10)) == [created]
    assert len(memories_of(plugin.ok("memory.list", project=None))) == 2
    found = cast(Sequence[JsonObject], plugin.ok("memory.search", query="hills of lisbon", limit=1))
    assert [SearchResult.from_dict(item).memory for item in found] == [created]


def test_a_change_sets_the_fields_that_are_given_and_clears_those_that_are_null(plugin: Plugin) -> None:
    created = memory_of(plugin.ok("memory.create", content="first", project="p", tags=["kept"]))
    changed = memory_of(plugin.ok("memory.update", memory_id=created.id, content="second", project=None))
    assert (changed.content, changed.project, changed.tags, changed.version) == ("second", None, ("kept",), 2)


def test_a_deleted_memory_is_gone(plugin: Plugin) -> None:
    created = memory_of(plugin.ok("memory.create", content="text"))
    assert plugin.ok("memory.delete", memory_id=created.id) is None
    assert f"there is no memory {created.id}" in plugin.failed("memory.get", memory_id=created.id)


def test_the_memories_of_another_user_do_not_exist(plugin: Plugin) -> None:
    theirs = memory_of(plugin.acting_for("bob").ok("memory.create", content="bob's own"))
    for operation, arguments in (("get", {}), ("update", {"content": "mine"}), ("delete", {})):
        message = plugin.failed(f"memory.{operation}", memory_id=theirs.id, **arguments)
        assert f"there is no memory {theirs.id}" in message
    assert plugin.ok("memory.list") == []
    assert plugin.ok("memory.search", query="bob's own") == []
    assert memory_of(plugin.acting_for("bob").ok("memory.get", memory_id=theirs.id)) == theirs


def test_a_plugin_s_change_is_published_to_the_others_and_not_to_itself(gateway: AwsStack) -> None:
    author, reader = Plugin(gateway, "author"), Plugin(gateway, "reader")
    for plugin in (author, reader):
        plugin.register(*ALL_PERMISSIONS, hooks=("memory_created",))
    queues = {plugin.plugin_id: gateway.make_queue(plugin.plugin_id) for plugin in (author, reader)}
    author.ok("memory.create", content="made by a plugin")
    assert gateway.received(queues["author"]) == []
    (detail,) = gateway.received(queues["reader"])
    assert (detail["hook"], detail["plugins"]) == ("memory_created", ["reader"])
    assert cast(JsonObject, detail["metadata"])["caused_by"] == ["author"]


def test_plugins_that_answer_each_other_s_events_come_to_an_end(gateway: AwsStack) -> None:
    first, second = Plugin(gateway, "first"), Plugin(gateway, "second")
    queues: dict[str, str] = {}
    for plugin in (first, second):
        plugin.register(*ALL_PERMISSIONS, hooks=("memory_created",))
        queues[plugin.plugin_id] = gateway.make_queue(plugin.plugin_id)
    first.ok("memory.create", content="from the first")
    (detail,) = gateway.received(queues["second"])
    second.grant = str(detail["grant"])
    second.ok("memory.create", content="from the second, which the first caused")
    assert gateway.received(queues["first"]) == []
    assert gateway.received(queues["second"]) == []


WRONG: list[tuple[str, dict[str, JsonValue], str]] = [
    ("memory.get", {}, "memory_id: is missing"),
    ("memory.get", {"memory_id": "m", "id": "m"}, "id: is unknown: the arguments are memory_id"),
    ("memory.get", {"memory_id": 7}, "memory_id: must be text"),
    ("memory.search", {"query": ""}, "query: must be 1 to"),
    ("memory.search", {"query": "a", "limit": 101}, "limit: must be a whole number from 1 to 100"),
    ("memory.list", {"limit": True}, "limit: must be a whole number"),
    ("memory.create", {"content": "a\x00b"}, "content: must be text without NUL"),
    ("memory.create", {"content": "\ud800"}, "content: must be text without NUL"),
    ("memory.create", {"content": "ä" * 32769}, "content: must be 1 to 65536 bytes long"),
    ("memory.create", {"content": "a", "memory_type": "poem"}, "memory_type: must be one of conversation"),
    ("memory.create", {"content": "a", "tags": "city"}, "tags: must be an array"),
    ("memory.create", {"content": "a", "tags": [1]}, "tags: must be text"),
    ("memory.create", {"content": "a", "importance": 1.5}, "importance: must be a number from 0 to 1"),
    ("memory.create", {"content": "a", "metadata": []}, "metadata: must be a JSON object"),
    ("memory.create", {"content": "a", "metadata": {"k": ["\x00"]}}, "metadata: must be text without NUL"),
    ("memory.create", {"content": "a", "metadata": {"k": float("nan")}}, "metadata: must be a number"),
    ("memory.create", {"content": "a", "metadata": {"k": "x" * 16384}}, "metadata: must be at most 16384 bytes"),
    ("memory.create", {"content": "a", "expires_at": "2099-01-01"}, "expires_at: must be a time in ISO 8601"),
    ("memory.create", {"content": "a", "allow_duplicate": "yes"}, "allow_duplicate: must be true or false"),
    ("memory.update", {"memory_id": "m", "content": None}, "content: must be text"),
    ("embedding.embed", {"texts": ["a"] * 101}, "texts: must be an array of at most 100 items"),
    ("database.query", {"sql": "SELECT 1", "parameters": {}}, "parameters: must be an array"),
]


def test_a_wrong_argument_is_named(plugin: Plugin) -> None:
    for operation, arguments, message in WRONG:
        assert message in plugin.failed(operation, **arguments)


def test_an_id_that_cannot_be_one_finds_nothing(plugin: Plugin) -> None:
    assert "there is no memory" in plugin.failed("memory.get", memory_id="not an id")


def test_texts_become_vectors_of_unit_length(plugin: Plugin) -> None:
    vectors = cast(Sequence[Sequence[float]], plugin.ok("embedding.embed", texts=["one", "two words"]))
    assert [len(vector) for vector in vectors] == [384, 384]
    assert [sum(number * number for number in vector) for vector in vectors] == pytest.approx([1, 1], abs=1e-5)
