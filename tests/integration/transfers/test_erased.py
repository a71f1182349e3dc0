"""A transfer that was asked for before its user was erased keeps nothing, whenever it runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from memory_server.domain.memories import MemoryDraft
from memory_server.domain.passwords import role_password
from memory_server.repository.database import PostgresDatabase
from tests.fixtures.aws import BUCKET
from tests.integration.transfers.conftest import Transfers


def erase(transfers: Transfers) -> datetime:
    """Erase ana, and note it where functions see it."""

    async def erased() -> datetime:
        database = transfers.database
        password = role_password(database.server_secret, "memory_app")
        storage = PostgresDatabase(database.host, database.port, database.name, password)
        try:
            return await storage.erase("ana")
        finally:
            await storage.close()

    moment = asyncio.run(erased())
    asyncio.run(transfers.aws.erasures().note("ana", moment))
    return moment


def test_a_load_stores_nothing(transfers: Transfers) -> None:
    part = transfers.write("a", {"content": "too late"})
    transfers.since = datetime.now(UTC)
    erase(transfers)
    assert "the event's user was erased" in transfers.load(part)["error"]["message"]
    assert transfers.memories() == {}
    transfers.since = datetime.now(UTC) + timedelta(seconds=1)
    assert transfers.load(part, key="new")["created"] == 1


def test_a_snapshot_leaves_no_file(transfers: Transfers) -> None:
    transfers.since = datetime.now(UTC)
    erase(transfers)
    transfers.store(MemoryDraft(content="what ana stores when she is back"))
    assert "the event's user was erased" in transfers.snapshot()["error"]
    assert "Contents" not in transfers.aws.clients.s3.list_objects_v2(Bucket=BUCKET)


def test_the_task_at_the_end_is_of_the_time_of_the_beginning(transfers: Transfers) -> None:
    transfers.since = datetime.now(UTC) - timedelta(hours=1)
    transfers.snapshot()
    assert transfers.last_message["since"] == transfers.since.isoformat()
