"""memory_analytics counts each event once, on the day on which it happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from plugin_kit.context import Context
from plugin_kit.hooks import CATALOGUE
from plugin_kit.manifest import verify
from plugin_kit.models import Memory, SearchResult
from plugin_kit.testing import FakeDatabaseService, fire, make_context
from plugins.memory_analytics import plugin
from tests.fixtures import plugin_database
from tests.fixtures.plugin_database import PostgresDatabaseService
from tests.fixtures.postgres import TestDatabase

MEMORY = Memory(id="1", content="The cat sleeps.", memory_type="knowledge", project="home")
COUNTS = (
    "SELECT day::text, hook, user_id, project, memory_type, events FROM daily_counts ORDER BY day, hook, memory_type"
)


@pytest.fixture
async def empty_schema(database: TestDatabase) -> AsyncIterator[PostgresDatabaseService]:
    async with plugin_database.empty_schema(database, "memory_analytics") as service:
        yield service


@pytest.fixture
async def database_service(empty_schema: PostgresDatabaseService) -> PostgresDatabaseService:
    await plugin.initialize(_context(empty_schema))
    return empty_schema


def _context(
    service: PostgresDatabaseService | FakeDatabaseService,
    number: int = 1,
    occurred_at: str = "2026-11-22T12:00:00+00:00",
    project: str | None = "home",
) -> Context:
    return make_context(
        plugin_name="memory_analytics",
        database_service=service,
        project=project,
        metadata={"event_id": f"01890a5d-ac96-774b-bcce-{number:012}", "occurred_at": occurred_at},
    )


def test_the_plugin_keeps_its_contract() -> None:
    info = verify("memory_analytics", plugin)
    assert info.permissions == ("database:write",)
    assert set(info.hooks) <= set(CATALOGUE)


async def test_every_hook_is_counted_by_user_project_and_type(database_service: PostgresDatabaseService) -> None:
    result = SearchResult(memory=MEMORY, score=0.9)
    events: list[tuple[str, tuple[object, ...]]] = [
        ("memory_created", (MEMORY,)),
        ("memory_updated", (MEMORY,)),
        ("memory_deleted", ("1",)),
        ("memory_retrieved", (MEMORY,)),
        ("search_performed", ("cat", [result])),
    ]
    for number, (hook, arguments) in enumerate(events):
        await fire(plugin, hook, *arguments, context=_context(database_service, number))
    rows = [tuple(row.values()) for row in await database_service.query(COUNTS)]
    assert rows == [
        ("2026-11-22", "memory_created", "local", "home", "knowledge", 1),
        ("2026-11-22", "memory_deleted", "local", "home", None, 1),
        ("2026-11-22", "memory_retrieved", "local", "home", "knowledge", 1),
        ("2026-11-22", "memory_updated", "local", "home", "knowledge", 1),
        ("2026-11-22", "search_performed", "local", "home", None, 1),
    ]


async def test_an_event_that_comes_again_counts_once(database_service: PostgresDatabaseService) -> None:
    for number in (1, 2, 1, 1):
        await fire(plugin, "memory_created", MEMORY, context=_context(database_service, number))
    assert [row["events"] for row in await database_service.query(COUNTS)] == [2]


async def test_events_without_a_project_share_one_count(database_service: PostgresDatabaseService) -> None:
    for number in (1, 2):
        await fire(plugin, "memory_deleted", "1", context=_context(database_service, number, project=None))
    assert [(row["project"], row["events"]) for row in await database_service.query(COUNTS)] == [(None, 2)]


async def test_an_event_counts_on_its_own_day_in_utc(database_service: PostgresDatabaseService) -> None:
    for number, time in enumerate(
        ["2026-11-21T23:59:59.999999+00:00", "2026-11-22T01:00:00+02:00", "2026-11-22T00:00:00Z"]
    ):
        await fire(plugin, "memory_created", MEMORY, context=_context(database_service, number, time))
    rows = [(row["day"], row["events"]) for row in await database_service.query(COUNTS)]
    assert rows == [("2026-11-21", 2), ("2026-11-22", 1)]


async def test_environments_that_start_at_once_do_not_collide(empty_schema: PostgresDatabaseService) -> None:
    await asyncio.gather(*(plugin.initialize(_context(empty_schema)) for _ in range(4)))
    await fire(plugin, "memory_created", MEMORY, context=_context(empty_schema))


async def test_events_that_come_at_once_are_all_counted(database_service: PostgresDatabaseService) -> None:
    numbers = [*range(10), *range(10)]
    await asyncio.gather(
        *(fire(plugin, "memory_created", MEMORY, context=_context(database_service, number)) for number in numbers)
    )
    assert [row["events"] for row in await database_service.query(COUNTS)] == [10]


async def test_initializing_again_keeps_counts_and_forgets_old_event_ids(
    database_service: PostgresDatabaseService,
) -> None:
    for number in (1, 2):
        await fire(plugin, "memory_created", MEMORY, context=_context(database_service, number))
    await database_service.execute(
        "UPDATE counted_events SET counted_at = now() - interval '29 days' WHERE right(event_id::text, 1) = '1'"
    )
    await plugin.initialize(_context(database_service))
    assert [row["events"] for row in await database_service.query(COUNTS)] == [2]
    assert await database_service.query("SELECT count(*) AS kept FROM counted_events") == [{"kept": 1}]


async def test_a_hook_makes_one_call_of_the_database() -> None:
    database = FakeDatabaseService()
    await fire(plugin, "memory_created", MEMORY, context=_context(database))
    assert len(database.statements) == 1
