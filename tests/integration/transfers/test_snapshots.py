"""A snapshot has all memories of its user as they are at one moment, and nobody else's."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime

import pytest

from memory_server.domain.memories import MemoryDraft, MemoryPatch
from memory_server.repository import snapshots as repository
from memory_server.services import snapshots
from plugin_kit.models import Memory
from tests.integration.transfers.conftest import Transfers

HARD = MemoryDraft(
    content='quotes " \\ \x01\x02 tab\t line\n separator\u2028 \U0001f600 ,;',
    memory_type="decision",
    project="p\\n",
    session_id="s",
    tags=("a,b", '"'),
    importance=0.1,
    metadata={"deep": [1, 0.1, None, {"\u2028": "\n"}]},
    expires_at=datetime(2099, 1, 1, tzinfo=UTC),
)


def test_every_field_of_every_memory_is_in_the_parts(transfers: Transfers) -> None:
    stored = transfers.store(HARD, MemoryDraft(content="plain"))
    transfers.store(MemoryDraft(content="bob's own"), user_id="bob")
    manifest = transfers.snapshot()
    assert (manifest["memories"], manifest["versions"], manifest["models"], manifest["error"]) == (2, 0, [], None)
    assert datetime.fromisoformat(manifest["taken_at"]) <= datetime.now(UTC)
    assert [part["name"] for part in manifest["parts"]] == ["transfers/t1/00000.jsonl"]
    lines = transfers.lines(manifest)
    assert {line["id"]: Memory.from_dict(line) for line in lines} == {memory.id: memory for memory in stored}
    assert {line["deduplicate"] for line in lines} == {True}


def test_vectors_come_as_postgresql_sends_them(transfers: Transfers) -> None:
    transfers.store(MemoryDraft(content="one"))
    manifest = transfers.snapshot(embeddings=True)
    (line,) = transfers.lines(manifest)
    assert (manifest["models"], line["embedding_model"]) == (["fake"], "fake")
    dimensions, unused, *numbers = struct.unpack(">hh384e", base64.b64decode(line["embedding"]))
    assert (dimensions, unused, sum(numbers)) == (384, 0, 1.0)


def test_the_history_has_former_states_of_living_and_of_deleted_memories(transfers: Transfers) -> None:
    living, gone = transfers.store(MemoryDraft(content="living"), MemoryDraft(content="gone", project="p"))
    transfers.change(living.id, MemoryPatch(importance=1.0))
    transfers.delete(gone.id)
    manifest = transfers.snapshot(history=True)
    assert (manifest["memories"], manifest["versions"]) == (1, 2)
    lines = {line["id"]: line for line in transfers.lines(manifest, "version")}
    assert {line_id: line["replaced_by"] for line_id, line in lines.items()} == {
        living.id: "update",
        gone.id: "delete",
    }
    assert Memory.from_dict(lines[living.id]) == living
    of_project = transfers.snapshot(history=True, where={"project": "p"})
    assert [line["id"] for line in transfers.lines(of_project, "version")] == [gone.id]


def test_a_filter_chooses(transfers: Transfers) -> None:
    transfers.store(MemoryDraft(content="a", project="p", tags=("x",)), MemoryDraft(content="b", project="p"))
    manifest = transfers.snapshot(where={"project": "p", "tags_any": ["x"], "min_importance": 0.5})
    assert [line["content"] for line in transfers.lines(manifest)] == ["a"]


def test_expired_memories_are_history(transfers: Transfers) -> None:
    transfers.store(MemoryDraft(content="old", expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    manifest = transfers.snapshot(history=True)
    assert (manifest["memories"], manifest["versions"]) == (0, 1)


def test_many_memories_are_in_parts_of_a_bounded_size(transfers: Transfers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_PART_BYTES", 2_000)
    monkeypatch.setattr(repository, "BLOCK_BYTES", 500)
    transfers.store(*(MemoryDraft(content=f"number {number}") for number in range(30)))
    manifest = transfers.snapshot()
    assert len(manifest["parts"]) > 3
    assert max(part["bytes"] for part in manifest["parts"]) <= 2_000
    assert len({line["content"] for line in transfers.lines(manifest)}) == 30


def test_nothing_gives_no_part(transfers: Transfers) -> None:
    manifest = transfers.snapshot(history=True)
    assert (manifest["memories"], manifest["parts"]) == (0, [])


def test_a_snapshot_that_fails_says_why(transfers: Transfers, monkeypatch: pytest.MonkeyPatch) -> None:
    transfers.store(MemoryDraft(content="a"))
    monkeypatch.setenv("FILES_BUCKET", "no-such-bucket")
    manifest = transfers.snapshot()
    assert "the file store does not answer" in manifest["error"]
    assert manifest["parts"] == []
