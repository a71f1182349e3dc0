"""Which memories a filter names, and pages of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from memory_server.domain.memories import MemoryDraft
from memory_server.domain.principals import LOCAL
from memory_server.domain.queries import MemoryFilter, Position, SearchQuery
from memory_server.repository.database import PostgresDatabase
from tests.integration.repository.conftest import MODEL, vector

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DRAFTS = [
    MemoryDraft(content="tea 0", project="p", session_id="s", tags=("a", "b"), importance=0.1),
    MemoryDraft(content="tea 1", project="p", memory_type="error", tags=("b",), metadata={"k": {"x": 1, "y": [1, 2]}}),
    MemoryDraft(content="tea 2", project="p%", memory_type="warning", importance=0.9, metadata={"k": {"x": 2}}),
    MemoryDraft(content="tea 3", session_id="s", tags=("a", 'quote " comma , {}'), importance=1.0),
]


@pytest.fixture
async def stored(memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]) -> PostgresDatabase:
    """The drafts, each created an hour after the one before."""
    async with memory_database.transaction(LOCAL) as unit:
        results = await unit.memories.add(DRAFTS, {number: vector(number) for number in range(4)}, MODEL)
    for number, result in enumerate(results):
        moment = NOON + timedelta(hours=number)
        await admin.execute("UPDATE memories SET created_at = %s WHERE id = %s", [moment, result.memory.id])
    return memory_database


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (MemoryFilter(), "0123"),
        (MemoryFilter(project="p"), "01"),
        (MemoryFilter(project="p%"), "2"),
        (MemoryFilter(project="' OR true --"), ""),
        (MemoryFilter(session_id="s"), "03"),
        (MemoryFilter(memory_types=("error", "warning")), "12"),
        (MemoryFilter(tags_any=("a", "none")), "03"),
        (MemoryFilter(tags_any=('quote " comma , {}',)), "3"),
        (MemoryFilter(tags_all=("a", "b")), "0"),
        (MemoryFilter(tags_any=("a",), tags_all=("b",)), "0"),
        (MemoryFilter(since=NOON + timedelta(hours=1)), "123"),
        (MemoryFilter(until=NOON + timedelta(hours=1)), "0"),
        (MemoryFilter(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3)), "12"),
        (MemoryFilter(min_importance=0.9), "23"),
        (MemoryFilter(min_importance=0.0), "0123"),
        (MemoryFilter(metadata={"k": {"x": 1}}), "1"),
        (MemoryFilter(metadata={"k": {"y": [2]}}), "1"),
        (MemoryFilter(metadata={"k": 1}), ""),
        (MemoryFilter(metadata={}), "0123"),
        (MemoryFilter(project="p", session_id="s", min_importance=0.2), ""),
    ],
)
async def test_list_search_and_delete_agree_on_what_a_filter_means(
    stored: PostgresDatabase, where: MemoryFilter, expected: str
) -> None:
    async with stored.transaction(LOCAL) as unit:
        page = await unit.memories.list(where, after=None, limit=10)
        assert [memory.content[-1] for memory in page.memories] == list(reversed(expected))
        for mode in ("hybrid", "semantic", "keyword"):
            query = SearchQuery(text="tea", mode=mode, filter=where)
            hits = await unit.memories.search(query, None if mode == "keyword" else vector(0), MODEL)
            assert sorted(hit.memory.content[-1] for hit in hits) == list(expected)
        assert len(await unit.memories.match_ids(None, where)) == len(expected)
        assert len(await unit.memories.delete_many(None, where)) == len(expected)


async def test_pages_go_from_new_to_old_and_miss_nothing(memory_database: PostgresDatabase) -> None:
    drafts = [MemoryDraft(content=str(number)) for number in range(7)]
    for some in (drafts[:5], drafts[5:]):  # memories of one transaction have one time
        async with memory_database.transaction(LOCAL) as unit:
            await unit.memories.add(some, {number: vector(number) for number in range(5)}, MODEL)
    pages: list[list[str]] = []
    after: Position | None = None
    async with memory_database.transaction(LOCAL) as unit:
        while not pages or after:
            page = await unit.memories.list(MemoryFilter(), after=after, limit=3)
            pages.append([memory.content for memory in page.memories])
            after = page.next
    assert pages == [["6", "5", "4"], ["3", "2", "1"], ["0"]]


async def test_a_page_that_ends_with_the_last_memory_has_no_next_one(memory_database: PostgresDatabase) -> None:
    async with memory_database.transaction(LOCAL) as unit:
        await unit.memories.add([MemoryDraft(content="only")], {0: vector(0)}, MODEL)
        page = await unit.memories.list(MemoryFilter(), after=None, limit=1)
    assert page.next is None
