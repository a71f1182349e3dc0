"""An Idempotency-Key makes a repeated request the same request."""

from __future__ import annotations

import asyncio

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from memory_server.domain.errors import IdempotencyKeyReused
from memory_server.domain.principals import LOCAL, Principal
from memory_server.repository.database import PostgresDatabase
from memory_server.services.ports import StoredResponse

ANSWER = StoredResponse(b"request", ("01a20000-0000-7000-8000-000000000000",), (True,))


async def answer(database: PostgresDatabase, key: str = "key", user: Principal = LOCAL) -> StoredResponse | None:
    """Claim the key as a request does, and answer where it is new."""
    async with database.transaction(user) as unit:
        before = await unit.idempotency.claim(key, ANSWER.fingerprint)
        if before is None:
            await asyncio.sleep(0.1)
            await unit.idempotency.store(key, ANSWER)
        return before


async def test_a_key_is_new_once_and_answers_the_same_after(memory_database: PostgresDatabase) -> None:
    assert [await answer(memory_database) for _ in range(3)] == [None, ANSWER, ANSWER]
    assert await answer(memory_database, key="another") is None


async def test_a_second_request_with_the_key_waits_for_the_first(memory_database: PostgresDatabase) -> None:
    answers = await asyncio.gather(answer(memory_database), answer(memory_database))
    assert sorted(answers, key=str) == sorted([None, ANSWER], key=str)


async def test_a_key_with_another_request_is_refused(memory_database: PostgresDatabase) -> None:
    await answer(memory_database)
    with pytest.raises(IdempotencyKeyReused):
        async with memory_database.transaction(LOCAL) as unit:
            await unit.idempotency.claim("key", b"another request")


async def test_a_request_that_failed_leaves_its_key_free(memory_database: PostgresDatabase) -> None:
    async def fail() -> None:
        async with memory_database.transaction(LOCAL) as unit:
            await unit.idempotency.claim("key", b"another request")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await fail()
    assert await answer(memory_database) is None


async def test_users_do_not_share_keys(memory_database: PostgresDatabase) -> None:
    await answer(memory_database)
    assert await answer(memory_database, user=Principal("bob")) is None


async def test_a_key_is_forgotten_after_a_day(
    memory_database: PostgresDatabase, admin: AsyncConnection[TupleRow]
) -> None:
    await answer(memory_database, key="one")
    await answer(memory_database, key="two")
    await admin.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    assert await answer(memory_database, key="one") is None
    cursor = await admin.execute("SELECT key FROM idempotency_keys")
    assert await cursor.fetchall() == [("one",)]
