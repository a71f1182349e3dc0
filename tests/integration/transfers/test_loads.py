"""A load stores all lines or none, once, and for its user alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from memory_server.domain.memories import MemoryDraft, MemoryPatch
from memory_server.repository import loads
from plugin_kit.envelope import decode
from plugin_kit.file_names import key_of
from plugin_kit.json_types import JsonValue
from plugin_kit.models import Memory
from tests.integration.transfers.conftest import Transfers, everything, numbers


def emptied(transfers: Transfers) -> None:
    transfers.rows("DELETE FROM memories RETURNING 1")
    transfers.rows("DELETE FROM memory_versions RETURNING 1")


@pytest.fixture
def backup(transfers: Transfers) -> list[str]:
    """The parts of a snapshot of two memories, one of them changed, and of one that was deleted."""
    one, _, gone = transfers.store(
        MemoryDraft(content="one", project="p", tags=("t",), metadata={"a": 0.1}),
        MemoryDraft(content="one", project="p", allow_duplicate=True),
        MemoryDraft(content="gone"),
    )
    transfers.change(one.id, MemoryPatch(importance=0.9))
    transfers.delete(gone.id)
    manifest = transfers.snapshot(history=True, embeddings=True)
    return [part["name"] for part in manifest["parts"]]


@pytest.mark.parametrize("many", [1, 1000])
def test_a_snapshot_comes_back_to_the_last_bit(
    transfers: Transfers, backup: list[str], many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "_MANY", many)
    before = everything(transfers)
    emptied(transfers)
    transfers.embedder.embedded.clear()
    assert numbers(transfers.load(*backup)) == (2, 0, 0, 0, 2)
    assert everything(transfers) == before
    assert transfers.embedder.embedded == []
    indexes = transfers.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'memories'")
    assert {("memories_embedding",), ("memories_keywords",)} <= set(indexes)


def test_what_was_deleted_comes_back_as_it_was_and_can_be_changed_again(transfers: Transfers) -> None:
    (memory,) = transfers.store(MemoryDraft(content="one"))
    part = transfers.write("a", memory.to_dict())
    transfers.delete(memory.id)
    assert numbers(transfers.load(part)) == (1, 0, 0, 0, 0)
    assert transfers.memories() == {memory.id: memory}
    assert transfers.change(memory.id, MemoryPatch(importance=1.0)).version == 2


def test_what_went_on_after_the_snapshot_stays_in_the_history(transfers: Transfers) -> None:
    (memory,) = transfers.store(MemoryDraft(content="one"))
    part = transfers.write("a", memory.to_dict())
    transfers.change(memory.id, MemoryPatch(importance=1.0))
    transfers.delete(memory.id)
    assert numbers(transfers.load(part)) == (1, 0, 0, 0, 0)
    assert transfers.memories()[memory.id].version == 3
    assert transfers.rows("SELECT version, replaced_by FROM memory_versions ORDER BY 1") == [
        (1, "update"),
        (2, "delete"),
    ]


def test_a_key_is_loaded_once(transfers: Transfers) -> None:
    part = transfers.write("a", {"content": "one"})
    first = transfers.load(part)
    assert (first["key"], first["dry_run"], numbers(first)) == ("k1", False, (1, 0, 0, 0, 0))
    assert transfers.load(part, conflict="duplicate") == first
    assert len(transfers.memories()) == 1
    assert numbers(transfers.load(part, key="k2")) == (0, 0, 1, 0, 0)
    bobs = transfers.write("a", {"content": "one"}, user_id="bob")
    assert numbers(transfers.load(bobs, user_id="bob")) == (1, 0, 0, 0, 0)


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(transfers: Transfers, backup: list[str]) -> None:
    emptied(transfers)
    outcome = transfers.load(*backup, dry_run=True)
    assert (outcome["dry_run"], numbers(outcome)) == (True, (2, 0, 0, 0, 2))
    assert (transfers.memories(), transfers.rows("SELECT FROM outbox")) == ({}, [])
    assert numbers(transfers.load(*backup)) == (2, 0, 0, 0, 2)


def test_a_line_needs_its_content_alone(transfers: Transfers) -> None:
    part = transfers.write("a", {"content": "one"}, {"content": "two", "tags": ["t"], "id": None})
    assert numbers(transfers.load(part, project="p")) == (2, 0, 0, 0, 0)
    found = sorted(transfers.memories().values(), key=lambda memory: memory.content)
    assert [(memory.content, memory.project, memory.tags, memory.version) for memory in found] == [
        ("one", "p", (), 1),
        ("two", "p", ("t",), 1),
    ]
    assert sorted(transfers.embedder.embedded) == ["one", "two"]


def test_vectors_of_another_model_are_computed_anew(transfers: Transfers, backup: list[str]) -> None:
    emptied(transfers)
    transfers.embedder.model_id = "newer"
    assert numbers(transfers.load(*backup)) == (2, 0, 0, 0, 2)
    assert transfers.embedder.embedded[-1:] == ["one"]
    assert transfers.rows("SELECT DISTINCT embedding_model FROM memories") == [("newer",)]


def test_a_vector_of_another_model_may_have_any_form(transfers: Transfers) -> None:
    part = transfers.write("a", {"content": "one", "embedding_model": "of two dimensions", "embedding": "AAIAAAAAPAA="})
    assert numbers(transfers.load(part)) == (1, 0, 0, 0, 0)
    assert transfers.embedder.embedded == ["one"]


CHANGED = {"importance": 1.0, "tags": ["new"]}


@pytest.mark.parametrize(
    ("conflict", "counted", "importances"),
    [
        ("skip", (0, 0, 1, 0, 0), [0.5]),
        ("overwrite", (0, 1, 0, 0, 0), [1.0]),
        ("duplicate", (1, 0, 0, 0, 0), [0.5, 1.0]),
    ],
)
@pytest.mark.parametrize("same", ["id", "content"])
def test_a_conflict_is_settled_as_asked(
    transfers: Transfers, conflict: str, counted: tuple[int, ...], importances: list[float], same: str
) -> None:
    (memory,) = transfers.store(MemoryDraft(content="one", project="p", session_id="s"))
    line = {"id": memory.id, "content": "two"} if same == "id" else {"content": "one"}
    part = transfers.write("a", {**line, **CHANGED, "project": "p"})
    assert numbers(transfers.load(part, conflict=conflict)) == counted
    found = transfers.memories()
    assert sorted(memory.importance for memory in found.values()) == importances
    if conflict == "overwrite":
        assert (found[memory.id].version, found[memory.id].session_id) == (2, "s")
        assert transfers.rows("SELECT id, version, importance FROM memory_versions") == [(UUID(memory.id), 1, 0.5)]
    else:
        assert found[memory.id] == memory


def test_what_is_the_same_is_left_as_it_is(transfers: Transfers) -> None:
    (memory,) = transfers.store(MemoryDraft(content="one"))
    part = transfers.write("a", memory.to_dict(), {"content": "two"}, {"content": "two"})
    assert numbers(transfers.load(part, conflict="overwrite")) == (1, 0, 1, 1, 0)
    assert transfers.memories()[memory.id] == memory


def test_contents_can_change_places(transfers: Transfers) -> None:
    one, two = transfers.store(MemoryDraft(content="one"), MemoryDraft(content="two"))
    part = transfers.write("a", {"id": one.id, "content": "two"}, {"id": two.id, "content": "one"})
    assert numbers(transfers.load(part, conflict="overwrite")) == (0, 2, 0, 0, 0)
    found = transfers.memories()
    assert (found[one.id].content, found[two.id].content) == ("two", "one")


def test_an_expired_memory_makes_room(transfers: Transfers) -> None:
    (old,) = transfers.store(MemoryDraft(content="one", expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert numbers(transfers.load(transfers.write("a", {"content": "one", "id": old.id}))) == (1, 0, 0, 0, 0)
    assert transfers.memories()[old.id].version == 2


def test_an_id_of_another_user_is_nobodys(transfers: Transfers) -> None:
    (theirs,) = transfers.store(MemoryDraft(content="bob's own"), user_id="bob")
    part = transfers.write("a", {"id": theirs.id, "content": "ana's own"})
    for dry_run in (True, False):
        assert numbers(transfers.load(part, conflict="overwrite", dry_run=dry_run)) == (1, 0, 0, 0, 0)
    assert transfers.memories()[theirs.id].content == "ana's own"
    assert transfers.memories("bob") == {theirs.id: theirs}


def test_a_part_of_another_plugin_or_user_is_not_there(transfers: Transfers) -> None:
    s3 = transfers.aws.clients.s3
    s3.put_object(Bucket="memory-events", Key=key_of("other", "ana", "a"), Body=b'{"content": "x"}')
    transfers.write("b", {"content": "bob's own"}, user_id="bob")
    for name in ("a", "other/a", "b"):
        error = transfers.load(name)["error"]
        assert (error["part"], error["line"]) == (name, None)
        assert "there is no such file" in error["message"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "line: is no JSON"),
        (b"[1]", "line: must be a JSON object"),
        (b"\xff", "line: is no JSON"),
        (b"[" * 100_000, "line: is no JSON"),
        ({"text": "x"}, "content: is missing; text: is unknown"),
        ({"content": "x", "id": "7"}, "id: must be a UUID"),
        ({"content": "x", "importance": 2}, "importance: must be a number from 0 to 1"),
        ({"content": "x", "created_at": "2026-01-01"}, "created_at: must be a time in ISO 8601"),
        ({"content": "x\x00"}, "content: must be text without NUL"),
        (
            {"content": "x", "embedding_model": "fake", "embedding": "AAAA"},
            "embedding: must be the base64 of a halfvec of 384 numbers",
        ),
        ({"content": "x", "replaced_by": "update"}, "id: is missing; version: is missing"),
        ({"content": "x", "version": 0}, "version: must be a whole number from 1"),
    ],
)
def test_a_malformed_line_refuses_all_and_is_named(transfers: Transfers, line: JsonValue | bytes, message: str) -> None:
    part = transfers.write("a.jsonl", {"content": "right"}, line, {"content": "right too"})
    outcome = transfers.load(part)
    assert outcome["error"]["message"].startswith(f"part a.jsonl, line 2: {message}")
    assert (outcome["error"]["part"], outcome["error"]["line"], outcome["created"]) == ("a.jsonl", 2, 0)
    assert transfers.memories() == {}
    assert numbers(transfers.load(transfers.write("a.jsonl", {"content": "right"}))) == (1, 0, 0, 0, 0)


def test_an_id_that_comes_twice_is_refused(transfers: Transfers) -> None:
    memory_id = str(uuid4())
    part = transfers.write("a", {"content": "one", "id": memory_id}, {"content": "two", "id": memory_id})
    assert f"line 2: id: {memory_id} is on a line before too" in transfers.load(part)["error"]["message"]


def test_each_stored_memory_has_its_event_in_the_outbox(transfers: Transfers) -> None:
    (memory,) = transfers.store(MemoryDraft(content="one"))
    part = transfers.write("a", {"content": "new"}, {**memory.to_dict(), "importance": 1.0})
    transfers.load(part, conflict="overwrite")
    events = [decode(event) for (event,) in transfers.rows("SELECT event FROM outbox WHERE published_at IS NULL")]
    assert sorted(event.hook for event in events) == ["memory_created", "memory_updated"]
    stored = transfers.memories()
    for event in events:
        told = event.args["memory"]
        assert isinstance(told, Memory)
        assert told == stored[told.id]
        assert (event.user_id, event.metadata) == ("ana", {"bulk": "k1", "caused_by": ["first", "backups"]})
    ids = transfers.rows("SELECT id::text, event ->> 'id' FROM outbox")
    assert all(row_id == event_id for row_id, event_id in ids)


def test_a_load_that_dies_half_way_leaves_nothing(transfers: Transfers, monkeypatch: pytest.MonkeyPatch) -> None:
    part = transfers.write("a", {"content": "one"})
    monkeypatch.setattr(loads, "STORING", (*loads.STORING, "load_dies"))
    assert "the server failed" in transfers.load(part)["error"]["message"]
    assert (transfers.memories(), transfers.rows("SELECT FROM outbox"), transfers.rows("SELECT FROM loads")) == (
        {},
        [],
        [],
    )


def test_an_embedder_that_is_away_fails_the_load_alone(transfers: Transfers) -> None:
    transfers.embedder.away = True
    part = transfers.write("a", {"content": "one"})
    assert transfers.load(part)["error"]["message"]
    transfers.embedder.away = False
    assert numbers(transfers.load(part)) == (1, 0, 0, 0, 0)
    assert json.dumps(transfers.rows("SELECT count(*) FROM loads")) == "[[1]]"
