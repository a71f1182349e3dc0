"""What a user has is counted exactly, whichever way it comes and goes, and held to the quotas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from memory_server.domain.errors import QuotaExceeded
from memory_server.domain.memories import MemoryDraft, MemoryPatch, StoreResult
from memory_server.domain.passwords import role_password
from memory_server.domain.principals import LOCAL, Principal
from memory_server.domain.queries import MemoryFilter
from memory_server.domain.quotas import Quotas, Usage
from memory_server.repository.database import PostgresDatabase
from tests.fixtures.postgres import TestDatabase
from tests.integration.repository.conftest import MODEL, vector

FOUND = """
    SELECT count(*), coalesce(sum(octet_length(content || array_to_string(tags, '') || metadata::text)), 0)
    FROM {} WHERE user_id = %s
"""


async def add(database: PostgresDatabase, *drafts: MemoryDraft, principal: Principal = LOCAL) -> list[StoreResult]:
    async with database.transaction(principal) as unit:
        return await unit.memories.add(drafts, {index: vector(index / 100) for index in range(len(drafts))}, MODEL)


async def patch(database: PostgresDatabase, memory_id: str, content: str) -> None:
    async with database.transaction(LOCAL) as unit:
        await unit.memories.update(
            memory_id, MemoryPatch(content=content), vector=vector(0), model_id=MODEL, expected_version=None
        )


async def delete(database: PostgresDatabase, *ids: str) -> None:
    async with database.transaction(LOCAL) as unit:
        await unit.memories.delete_many(ids, None)


async def found(admin: AsyncConnection[TupleRow], user_id: str = "local") -> Usage:
    """Return what is there, counted row by row."""
    memories = await (await admin.execute(FOUND.format("memories").encode(), [user_id])).fetchone()
    versions = await (await admin.execute(FOUND.format("memory_versions").encode(), [user_id])).fetchone()
    assert memories
    assert versions
    return Usage(memories=memories[0], bytes=int(memories[1]), history_bytes=int(versions[1]))


@pytest.fixture
async def limited(database: TestDatabase) -> AsyncIterator[PostgresDatabase]:
    """The database where a user may have 5 memories and 100 bytes of them."""
    password = role_password(database.server_secret, "memory_app")
    server = PostgresDatabase(
        database.host, database.port, database.name, password, pool_size=4, quotas=Quotas(memories=5, bytes=100)
    )
    yield server
    await server.close()


async def test_every_way_in_and_out_is_counted(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    assert await memory_database.usage("local") == Usage(memories=0, bytes=0, history_bytes=0)
    one, two = await add(
        memory_database,
        MemoryDraft(content="Zwölf", tags=("a", "bé"), metadata={"x": ["ü", 1]}),
        MemoryDraft(content="two"),
    )
    assert await memory_database.usage("local") == await found(admin) == Usage(memories=2, bytes=31, history_bytes=0)
    await add(memory_database, MemoryDraft(content="two"), MemoryDraft(content="three"), MemoryDraft(content="three"))
    await add(memory_database, MemoryDraft(content="another user's"), principal=Principal("ben"))
    await patch(memory_database, one.memory.id, "longer than before")
    await patch(memory_database, one.memory.id, "short")
    await delete(memory_database, two.memory.id)
    assert await memory_database.usage("local") == await found(admin)
    assert (await memory_database.usage("local")).history_bytes > 31
    assert await memory_database.usage("ben") == Usage(memories=1, bytes=16, history_bytes=0)


async def test_what_is_rolled_back_is_not_counted(memory_database: PostgresDatabase) -> None:
    async def add_and_fail() -> None:
        async with memory_database.transaction(LOCAL) as unit:
            await unit.memories.add([MemoryDraft(content="a")], {0: vector(0)}, MODEL)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await add_and_fail()
    assert (await memory_database.usage("local")).memories == 0


async def test_writers_at_once_do_not_wait_for_each_other_and_none_is_lost(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    async with memory_database.transaction(LOCAL) as slow:
        await slow.memories.add([MemoryDraft(content="slow")], {0: vector(0)}, MODEL)
        await asyncio.wait_for(add(memory_database, MemoryDraft(content="fast")), 5)
    await asyncio.gather(*(add(memory_database, MemoryDraft(content=str(number))) for number in range(20)))
    assert await memory_database.usage("local") == await found(admin)
    rows = await (await admin.execute("SELECT count(*) FROM usage WHERE user_id = 'local'")).fetchone()
    assert rows
    assert rows[0] <= 4


async def test_nothing_is_left_of_a_user_who_is_erased_and_they_can_begin_anew(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    (result,) = await add(memory_database, MemoryDraft(content="a"))
    await patch(memory_database, result.memory.id, "b")
    await memory_database.erase("local")
    assert await (await admin.execute("SELECT * FROM usage")).fetchall() == []
    await add(memory_database, MemoryDraft(content="again"))
    assert await memory_database.usage("local") == await found(admin)


async def test_a_memory_too_many_is_refused_and_nothing_of_its_batch_is_stored(limited: PostgresDatabase) -> None:
    await add(limited, MemoryDraft(content="there"), MemoryDraft(content="too"))
    batch = [MemoryDraft(content=text) for text in ("there", "a", "b", "c", "d", "e")]
    with pytest.raises(QuotaExceeded, match="may have 5 memories, 2 are there") as refused:
        await add(limited, *batch)
    assert (refused.value.quota, refused.value.used, refused.value.allowed) == ("memories", 2, 5)
    assert refused.value.place == 4  # the first is there already, and three more fit
    assert (await limited.usage("local")).memories == 2
    await add(limited, *batch[:4])
    await add(limited, *batch[:4])  # nothing of it is new
    await add(limited, MemoryDraft(content="another user has quotas of their own"), principal=Principal("ben"))


async def test_bytes_too_many_are_refused(limited: PostgresDatabase) -> None:
    with pytest.raises(QuotaExceeded, match="100 bytes of memories, 0 are there") as refused:
        await add(limited, MemoryDraft(content="x" * 50), MemoryDraft(content="y" * 50))
    assert (refused.value.quota, refused.value.place) == ("bytes", 1)
    (result,) = await add(limited, MemoryDraft(content="x" * 98))  # and {} for its metadata
    with pytest.raises(QuotaExceeded):
        await patch(limited, result.memory.id, "x" * 99)


async def test_who_is_over_the_quota_may_make_memories_smaller_and_delete_them(
    memory_database: PostgresDatabase, limited: PostgresDatabase
) -> None:
    results = await add(memory_database, *(MemoryDraft(content=letter * 50) for letter in "abcdefgh"))
    await patch(limited, results[0].memory.id, "a" * 49)
    with pytest.raises(QuotaExceeded):
        await patch(limited, results[0].memory.id, "a" * 50)
    await delete(limited, *(result.memory.id for result in results[1:]))
    assert (await limited.usage("local")).memories == 1
    await patch(limited, results[0].memory.id, "a" * 50)


async def test_a_history_that_is_full_forgets_its_oldest_versions(
    limited: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    (result,) = await add(limited, MemoryDraft(content="0" * 18))
    for number in range(1, 10):
        await patch(limited, result.memory.id, str(number) * 18)
        assert (await limited.usage("local")).history_bytes <= 100
    async with limited.transaction(LOCAL) as unit:
        past = await unit.memories.history(result.memory.id)
    assert [version.memory.content[0] for version in past] == ["8", "7", "6", "5", "4"]
    assert await limited.usage("local") == await found(admin)
    await delete(limited, result.memory.id)
    assert (await limited.usage("local")).history_bytes <= 100


async def test_expired_memories_make_room(limited: PostgresDatabase, admin: AsyncConnection[TupleRow]) -> None:
    await add(limited, *(MemoryDraft(content=str(number)) for number in range(5)))
    await admin.execute("UPDATE memories SET expires_at = now() - interval '1 second' WHERE content = '3'")
    await add(limited, MemoryDraft(content="new"))
    async with limited.transaction(LOCAL) as unit:
        page = await unit.memories.list(MemoryFilter(), after=None, limit=9)
    assert {memory.content for memory in page.memories} == {"0", "1", "2", "4", "new"}
    assert (await limited.usage("local")).memories == 5
    with pytest.raises(QuotaExceeded):
        await add(limited, MemoryDraft(content="newer"))


async def test_writers_at_once_cannot_pass_one_gap_together(limited: PostgresDatabase) -> None:
    answers = await asyncio.gather(
        *(add(limited, MemoryDraft(content=str(number))) for number in range(30)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, QuotaExceeded)]
    assert (len(answers) - len(refused), len(refused)) == (5, 25)
    assert (await limited.usage("local")).memories == 5


async def test_who_is_confined_to_a_project_does_not_learn_what_lies_outside(limited: PostgresDatabase) -> None:
    await add(limited, *(MemoryDraft(content=str(number)) for number in range(5)))
    with pytest.raises(QuotaExceeded) as refused:
        await add(limited, MemoryDraft(content="a", project="p"), principal=Principal("local", project="p"))
    assert refused.value.used is None
    assert "are there" not in str(refused.value)
