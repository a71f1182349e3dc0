"""memory_analytics notes each event once, whatever the order in which events come."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from memory_server.domain.events import new_id
from plugin_kit.testing import FakeDatabaseService, FakeMemoryService, fire, make_context
from plugins.memory_analytics import plugin, tables
from tests.fixtures.plugin_database import PostgresDatabaseService
from tests.plugins.memory_analytics.analytics import Analytics, memory

EVENTS: dict[str, tuple[object, ...]] = {
    "memory_created": (memory("1"),),
    "memory_updated": (memory("1"),),
    "memory_deleted": ("1",),
    "memory_retrieved": (memory("1"),),
    "search_performed": ("cat", []),
    "search_failed": ("cat", "the embedder does not answer"),
}
HOOKS = "SELECT hook, count(*) FROM operations GROUP BY hook ORDER BY hook"


def test_there_is_an_event_of_every_hook_to_test_with() -> None:
    assert list(EVENTS) == plugin.PLUGIN_INFO["hooks"]


async def test_every_hook_is_noted_with_its_user_project_time_and_duration(analytics: Analytics) -> None:
    at = datetime.now(UTC) - timedelta(seconds=2)
    for hook, arguments in EVENTS.items():
        context = analytics.context("ana", at=at, project="home", duration_ms=12.5)
        await analytics.fire(hook, *arguments, context=context)

    rows = await analytics.rows(
        "SELECT DISTINCT user_id, project, duration_ms, lag_ms BETWEEN 2000 AND 20000, occurred_at FROM operations"
    )

    assert rows == [("ana", "home", 12.5, True, at.isoformat())]
    assert [hook for hook, _ in await analytics.rows(HOOKS)] == sorted(EVENTS)


async def test_an_event_that_comes_again_counts_once_though_all_come_at_once(analytics: Analytics) -> None:
    ids = [new_id() for _ in range(10)]
    found = [memory(str(number)) for number in range(5)]
    await asyncio.gather(
        *(
            analytics.search("cat", *(found if number % 2 else reversed(found)), context=analytics.context(event_id=id))
            for number, id in enumerate([*ids, *ids])  # noqa: A001
        )
    )

    assert await analytics.rows(HOOKS) == [("search_performed", 10)]
    assert await analytics.rows("SELECT DISTINCT found, read FROM recalled") == [(10, 0)]


async def test_a_hook_makes_one_call_of_the_database() -> None:
    for hook, values in EVENTS.items():
        database = FakeDatabaseService()
        await Analytics(database).fire(hook, *values)
        assert len(database.statements) == 1, hook


async def test_a_load_costs_one_look_at_the_memories_and_no_call_of_the_database() -> None:
    database, memories = FakeDatabaseService(), FakeMemoryService()
    load = new_id()
    for number in range(100):
        context = make_context(database_service=database, memory_service=memories, metadata={"bulk": load})
        await fire(plugin, "memory_created", memory(str(number)), context=context)
        await fire(plugin, "memory_updated", memory(str(number)), context=context)

    assert database.statements == []
    assert [task.task for task in memories.started] == ["check_recalls"]


async def test_a_try_out_is_not_noted(analytics: Analytics) -> None:
    await analytics.fire("memory_retrieved", memory("1"), context=analytics.context(test=True))
    assert await analytics.rows(HOOKS) == []


async def test_environments_that_start_at_once_do_not_collide(empty_schema: PostgresDatabaseService) -> None:
    analytics = Analytics(empty_schema)
    await asyncio.gather(*(analytics.initialize() for _ in range(4)))
    await analytics.search("cat")
    assert await analytics.rows(HOOKS) == [("search_performed", 1)]


async def test_what_is_older_than_retention_is_pruned_and_never_noted_again(analytics: Analytics) -> None:
    old = analytics.context(at=datetime.now(UTC) - timedelta(days=8))
    analytics.config["retention_days"] = 7
    await analytics.fire("memory_created", memory("1"), context=old)
    assert await analytics.rows(HOOKS) == []

    analytics.config["retention_days"] = 9
    await analytics.fire("memory_created", memory("1"), context=old)
    await analytics.fire("memory_created", memory("2"))
    await plugin.prune(analytics.context(None))
    assert await analytics.rows(HOOKS) == [("memory_created", 2)]

    analytics.config["retention_days"] = 7
    await plugin.prune(analytics.context(None))
    await analytics.fire("memory_created", memory("1"), context=old)
    assert await analytics.rows(HOOKS) == [("memory_created", 1)]


async def test_however_much_is_old_all_of_it_is_pruned(analytics: Analytics) -> None:
    await analytics.database.execute(
        "INSERT INTO operations (event_id, user_id, occurred_at, hook, lag_ms, query_text)"
        " SELECT gen_random_uuid(), 'local', now() - interval '100 days' * (number %% 2), 'search_performed', 1, 'text'"
        " FROM generate_series(1, %s::integer) AS number",
        [5 * tables.PART],
    )

    await plugin.prune(analytics.context(None))

    assert await analytics.rows("SELECT count(*) AS kept, count(query_text) AS texts FROM operations") == [
        (5 * tables.PART // 2, 0)
    ]
