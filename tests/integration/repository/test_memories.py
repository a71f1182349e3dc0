"""Storing, changing and deleting memories."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from memory_server.domain.errors import DuplicateContent, MemoryNotFound, Unavailable, VersionConflict
from memory_server.domain.memories import MemoryDraft, MemoryPatch, StoreResult
from memory_server.domain.principals import LOCAL
from memory_server.domain.queries import MemoryFilter, SearchQuery
from memory_server.repository.database import PostgresDatabase
from plugin_kit.models import Memory
from tests.integration.repository.conftest import MODEL, vector

FULL = MemoryDraft(
    content="Tea is drunk at four.",
    memory_type="decision",
    project="house",
    session_id="s1",
    tags=("tea", "time, of day"),
    importance=0.25,
    metadata={"a": {"b": [1, 2.5, None, "ü"]}},
    expires_at=datetime(2100, 1, 1, tzinfo=UTC),
)
CHANGE = MemoryPatch(importance=1.0)


async def add(database: PostgresDatabase, *drafts: MemoryDraft) -> list[StoreResult]:
    async with database.transaction(LOCAL) as unit:
        vectors = {index: vector(index / 100) for index in range(len(drafts))}
        return await unit.memories.add(drafts, vectors, MODEL)


async def add_one(database: PostgresDatabase, draft: MemoryDraft) -> Memory:
    [result] = await add(database, draft)
    return result.memory


async def expire(admin: AsyncConnection[TupleRow], memory: Memory) -> None:
    await admin.execute("UPDATE memories SET expires_at = now() - interval '1 second' WHERE id = %s", [memory.id])


async def test_a_memory_comes_back_as_it_was_stored(memory_database: PostgresDatabase) -> None:
    stored = await add_one(memory_database, FULL)
    async with memory_database.transaction(LOCAL) as unit:
        assert await unit.memories.get(stored.id) == stored
    assert {name: getattr(stored, name) for name in dataclasses.asdict(FULL) if name != "allow_duplicate"} == {
        name: value for name, value in dataclasses.asdict(FULL).items() if name != "allow_duplicate"
    }
    assert (stored.user_id, stored.version, stored.created_at) == ("local", 1, stored.updated_at)
    assert stored.created_at is not None
    assert stored.created_at.utcoffset() == timedelta(0)


async def test_the_same_content_in_the_same_project_is_stored_once(memory_database: PostgresDatabase) -> None:
    [first] = await add(memory_database, MemoryDraft(content="same", project="p"))
    [again] = await add(memory_database, MemoryDraft(content="same", project="p", importance=0.9))
    [elsewhere] = await add(memory_database, MemoryDraft(content="same"))
    assert again == StoreResult(memory=first.memory, created=False)
    assert elsewhere.created


async def test_a_duplicate_is_stored_where_it_is_wanted_and_the_oldest_stands_for_it_after(
    memory_database: PostgresDatabase,
) -> None:
    wanted = MemoryDraft(content="same", allow_duplicate=True)
    results = [(await add(memory_database, wanted))[0] for _ in range(2)]
    assert [result.created for result in results] == [True, True]
    [third] = await add(memory_database, MemoryDraft(content="same"))
    assert third == StoreResult(memory=results[0].memory, created=False)


async def test_within_a_batch_the_first_of_two_equal_contents_is_stored(memory_database: PostgresDatabase) -> None:
    results = await add(memory_database, *[MemoryDraft(content=text) for text in ("a", "b", "a")])
    assert [result.created for result in results] == [True, True, False]
    assert [result.memory.content for result in results] == ["a", "b", "a"]
    assert results[2].memory == results[0].memory


async def test_a_thousand_drafts_are_stored_in_order(memory_database: PostgresDatabase) -> None:
    results = await add(memory_database, *[MemoryDraft(content=f"memory {number}") for number in range(1000)])
    assert [result.memory.content for result in results] == [f"memory {number}" for number in range(1000)]
    ids = [result.memory.id for result in results]
    assert ids == sorted(set(ids))


async def test_duplicates_are_found_by_index_except_for_drafts_that_want_one(
    memory_database: PostgresDatabase,
) -> None:
    known = await add_one(memory_database, MemoryDraft(content="known"))
    drafts = [
        MemoryDraft(content="new"),
        MemoryDraft(content="known"),
        MemoryDraft(content="known", allow_duplicate=True),
        MemoryDraft(content="known", project="other"),
    ]
    async with memory_database.transaction(LOCAL) as unit:
        assert await unit.memories.find_duplicates(drafts) == {1: known}
        assert await unit.memories.find_duplicates([]) == {}


async def test_two_batches_with_the_same_contents_in_opposite_order_store_each_once(
    memory_database: PostgresDatabase,
) -> None:
    drafts = [MemoryDraft(content=f"memory {number}") for number in range(50)]
    one, two = await asyncio.gather(add(memory_database, *drafts), add(memory_database, *reversed(drafts)))
    created = [result.memory.id for result in [*one, *two] if result.created]
    assert len(created) == len(set(created)) == 50
    assert [result.memory.id for result in one] == [result.memory.id for result in reversed(two)]


async def test_a_draft_whose_duplicate_went_before_it_was_stored_can_be_sent_again(
    memory_database: PostgresDatabase,
) -> None:
    with pytest.raises(Unavailable) as raised:
        async with memory_database.transaction(LOCAL) as unit:
            await unit.memories.add([MemoryDraft(content="gone")], {}, MODEL)
    assert raised.value.retry_after == 1


async def test_an_update_changes_the_named_fields_and_keeps_the_version_before(
    memory_database: PostgresDatabase,
) -> None:
    before = await add_one(memory_database, FULL)
    patch = MemoryPatch(content="Tea is drunk at five.", project=None, tags=(), expires_at=None)
    async with memory_database.transaction(LOCAL) as unit:
        after = await unit.memories.update(before.id, patch, vector=vector(1), model_id=MODEL, expected_version=1)
        assert await unit.memories.get(before.id) == after
        [past] = await unit.memories.history(before.id)
    expected = dataclasses.replace(
        before, content=patch.content, project=None, tags=(), expires_at=None, version=2, updated_at=after.updated_at
    )
    assert after == expected
    assert after.updated_at is not None
    assert before.updated_at is not None
    assert after.updated_at > before.updated_at
    assert (past.memory, past.replaced_by) == (before, "update")


async def test_an_update_without_new_content_keeps_the_embedding(memory_database: PostgresDatabase) -> None:
    memory = await add_one(memory_database, MemoryDraft(content="kept"))
    async with memory_database.transaction(LOCAL) as unit:
        await unit.memories.update(
            memory.id, MemoryPatch(importance=1.0), vector=None, model_id="another", expected_version=None
        )
        [hit] = await unit.memories.search(SearchQuery(text="x", mode="semantic"), vector(0), MODEL)
    assert hit.explanation.semantic_score == pytest.approx(1)


async def test_changes_to_another_version_are_refused_and_leave_no_trace(memory_database: PostgresDatabase) -> None:
    memory = await add_one(memory_database, FULL)
    async with memory_database.transaction(LOCAL) as unit:
        with pytest.raises(VersionConflict) as raised:
            await unit.memories.update(
                memory.id, MemoryPatch(importance=1.0), vector=None, model_id=MODEL, expected_version=7
            )
        assert raised.value.actual == 1
        with pytest.raises(VersionConflict):
            await unit.memories.delete(memory.id, expected_version=7)
    async with memory_database.transaction(LOCAL) as unit:
        assert await unit.memories.get(memory.id) == memory
        assert await unit.memories.history(memory.id) == []


async def test_of_two_updates_of_one_version_at_once_one_is_refused(memory_database: PostgresDatabase) -> None:
    memory = await add_one(memory_database, FULL)

    async def update(importance: float) -> Memory:
        async with memory_database.transaction(LOCAL) as unit:
            patch = MemoryPatch(importance=importance)
            return await unit.memories.update(memory.id, patch, vector=None, model_id=MODEL, expected_version=1)

    results = await asyncio.gather(update(0.1), update(0.2), return_exceptions=True)
    assert {type(result) for result in results} == {Memory, VersionConflict}


async def test_content_that_another_memory_of_the_project_has_is_refused(memory_database: PostgresDatabase) -> None:
    one, two = [
        result.memory for result in await add(memory_database, MemoryDraft(content="1"), MemoryDraft(content="2"))
    ]
    async with memory_database.transaction(LOCAL) as unit:
        with pytest.raises(DuplicateContent) as raised:
            await unit.memories.update(
                two.id, MemoryPatch(content="1"), vector=vector(0), model_id=MODEL, expected_version=None
            )
        assert raised.value.memory_id == one.id
        # The transaction goes on, and nothing of the change is in it.
        assert await unit.memories.get(two.id) == two
        assert await unit.memories.history(two.id) == []


async def test_a_deleted_memory_is_gone_and_its_history_stays(memory_database: PostgresDatabase) -> None:
    memory = await add_one(memory_database, FULL)
    async with memory_database.transaction(LOCAL) as unit:
        changed = await unit.memories.update(
            memory.id, MemoryPatch(importance=1.0), vector=None, model_id=MODEL, expected_version=None
        )
        assert await unit.memories.delete(memory.id, expected_version=2) == changed
    async with memory_database.transaction(LOCAL) as unit:
        for call in (unit.memories.get(memory.id), unit.memories.delete(memory.id)):
            with pytest.raises(MemoryNotFound):
                await call
        history = await unit.memories.history(memory.id)
    assert [(past.memory, past.replaced_by) for past in history] == [(changed, "delete"), (memory, "update")]


@pytest.mark.parametrize("memory_id", ["01a20000-0000-7000-8000-000000000000", "no id at all", ""])
async def test_what_never_was_is_not_found(memory_database: PostgresDatabase, memory_id: str) -> None:
    async with memory_database.transaction(LOCAL) as unit:
        for call in (
            unit.memories.get(memory_id),
            unit.memories.delete(memory_id),
            unit.memories.history(memory_id),
            unit.memories.update(memory_id, CHANGE, vector=None, model_id=MODEL, expected_version=None),
        ):
            with pytest.raises(MemoryNotFound):
                await call
        assert await unit.memories.delete_many([memory_id], None) == []


async def test_many_are_deleted_by_ids_or_by_a_filter_and_named_before(memory_database: PostgresDatabase) -> None:
    drafts = [MemoryDraft(content=str(number), project="pq"[number % 2]) for number in range(6)]
    ids = [result.memory.id for result in await add(memory_database, *drafts)]
    async with memory_database.transaction(LOCAL) as unit:
        assert await unit.memories.match_ids([ids[0], ids[0], ids[3], "nonsense"], None) == [ids[0], ids[3]]
        gone = await unit.memories.delete_many([ids[3], ids[0]], None)
        assert [(memory.id, memory.project) for memory in gone] == [(ids[0], "p"), (ids[3], "q")]
        where = MemoryFilter(project="q")
        assert await unit.memories.match_ids(None, where) == [ids[1], ids[5]]
        gone = await unit.memories.delete_many(None, where)
        assert [memory.id for memory in gone] == [ids[1], ids[5]]
        assert await unit.memories.match_ids(None, MemoryFilter()) == [ids[2], ids[4]]
        [past] = await unit.memories.history(ids[5])
    assert past.replaced_by == "delete"


async def test_neither_ids_nor_a_filter_deletes_nothing(memory_database: PostgresDatabase) -> None:
    memory = await add_one(memory_database, FULL)
    async with memory_database.transaction(LOCAL) as unit:
        with pytest.raises(ValueError, match="either ids or a filter"):
            await unit.memories.delete_many(None, None)
        assert await unit.memories.delete_many([], None) == []
        assert await unit.memories.get(memory.id) == memory


async def test_an_expired_memory_is_found_by_no_method(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    memory = await add_one(memory_database, MemoryDraft(content="milk"))
    await expire(admin, memory)
    async with memory_database.transaction(LOCAL) as unit:
        memories = unit.memories
        for call in (
            memories.get(memory.id),
            memories.delete(memory.id),
            memories.update(memory.id, CHANGE, vector=None, model_id=MODEL, expected_version=None),
        ):
            with pytest.raises(MemoryNotFound):
                await call
        assert await memories.find_duplicates([MemoryDraft(content="milk")]) == {}
        assert await memories.match_ids([memory.id], None) == []
        assert await memories.delete_many(None, MemoryFilter()) == []
        assert list((await memories.list(MemoryFilter(), after=None, limit=10)).memories) == []
        for mode in ("hybrid", "semantic", "keyword"):
            given = None if mode == "keyword" else vector(0)
            assert await memories.search(SearchQuery(text="milk", mode=mode), given, MODEL) == []


async def test_expired_content_can_be_stored_again_and_its_history_ends_when_it_expired(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    old = await add_one(memory_database, MemoryDraft(content="milk"))
    await expire(admin, old)
    async with memory_database.transaction(LOCAL) as unit:
        [before] = await unit.memories.history(old.id)
    [new] = await add(memory_database, MemoryDraft(content="milk"))
    assert new.created
    async with memory_database.transaction(LOCAL) as unit:
        [after] = await unit.memories.history(old.id)
    assert before == after
    assert (after.replaced_by, after.replaced_at) == ("delete", after.memory.expires_at)


async def test_content_can_be_changed_to_that_of_an_expired_memory(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    added = await add(memory_database, MemoryDraft(content="old"), MemoryDraft(content="new"))
    old, memory = (result.memory for result in added)
    await expire(admin, old)
    async with memory_database.transaction(LOCAL) as unit:
        changed = await unit.memories.update(
            memory.id, MemoryPatch(content="old"), vector=vector(0), model_id=MODEL, expected_version=None
        )
    assert changed.content == "old"
