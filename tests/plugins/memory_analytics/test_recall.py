"""Which memories were found or read: right after deletions, expiry, changes, and times in which no events came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from plugins.memory_analytics import plugin, recall
from tests.plugins.memory_analytics.analytics import Analytics, memory


def store(analytics: Analytics, *ids: str, project: str | None = "home") -> None:
    for memory_id in ids:
        analytics.memories.memories[memory_id] = memory(memory_id, project)


async def test_the_hit_rate_and_the_never_recalled_are_those_of_the_living_memories(analytics: Analytics) -> None:
    store(analytics, "1", "2", "3", "4")
    store(analytics, "5", project=None)
    stored = analytics.memories.memories
    await analytics.search("a", stored["1"], stored["2"])
    await analytics.search("b", stored["2"])
    await analytics.fire("memory_retrieved", stored["5"])

    answer = await analytics.get("/recall")

    assert (answer["memories"], answer["recalled"], answer["hit_rate"]) == (5, 3, 0.6)
    assert answer["projects"] == [
        {"project": "home", "memories": 4, "recalled": 2, "hit_rate": 0.5},
        {"project": None, "memories": 1, "recalled": 1, "hit_rate": 1.0},
    ]
    counts = [(row["memory_id"], row["found"], row["read"]) for row in answer["most_recalled"]]
    assert counts == [("2", 2, 0), ("5", 0, 1), ("1", 1, 0)]
    assert [row["memory_id"] for row in answer["never_recalled"]] == ["4", "3"]
    assert answer["next"] is None


async def test_the_never_recalled_ones_come_in_pages_that_miss_none(analytics: Analytics) -> None:
    store(analytics, *(str(number) for number in range(250)))
    await analytics.search("a", *(analytics.memories.memories[str(number)] for number in range(0, 250, 2)))

    found: list[str] = []
    query: dict[str, str] = {"limit": "40"}
    while True:
        answer = await analytics.get("/recall", **query)
        found += [row["memory_id"] for row in answer["never_recalled"]]
        if answer["next"] is None:
            break
        query["after"] = answer["next"]

    assert found == [str(number) for number in range(249, 0, -2)]


async def test_one_answer_looks_through_a_bounded_number_of_memories(analytics: Analytics) -> None:
    ids = [str(number) for number in range(recall.PAGES * 100 + 1)]
    store(analytics, *ids)
    await analytics.search("a", *analytics.memories.memories.values())

    first = await analytics.get("/recall")
    second = await analytics.get("/recall", after=first["next"])

    assert (first["never_recalled"], second["never_recalled"], second["next"]) == ([], [], None)


async def test_a_deleted_memory_leaves_the_tables_whatever_order_its_events_come_in(analytics: Analytics) -> None:
    now = datetime.now(UTC)
    gone = memory("1")
    before, deletion, after = (now + timedelta(seconds=number) for number in range(3))

    await analytics.search("a", gone, context=analytics.context(at=before))
    await analytics.fire("memory_deleted", "1", context=analytics.context(at=deletion))
    await analytics.fire("memory_retrieved", gone, context=analytics.context(at=before))
    assert await analytics.rows("SELECT memory_id FROM recalled") == []

    # It was restored under its id, and read.
    await analytics.fire("memory_retrieved", gone, context=analytics.context(at=after))
    assert await analytics.rows("SELECT memory_id, read FROM recalled") == [("1", 1)]


async def test_a_recalled_memory_that_expires_counts_no_more(analytics: Analytics) -> None:
    store(analytics, "1")
    await analytics.search("a", memory("2", expires_at=datetime.now(UTC) - timedelta(seconds=1)))

    answer = await analytics.get("/recall")

    assert (answer["recalled"], answer["most_recalled"]) == (0, [])
    await plugin.prune(analytics.context(None))
    assert await analytics.rows("SELECT memory_id FROM recalled") == []


async def test_a_memory_counts_for_the_project_that_its_latest_version_is_in(analytics: Analytics) -> None:
    first = memory("1", "old")
    second = replace(first, project="new", version=2)
    analytics.memories.memories["1"] = second
    await analytics.search("a", first)
    await analytics.fire("memory_updated", second)
    await analytics.search("a", first)

    answer = await analytics.get("/recall")

    assert answer["projects"] == [{"project": "new", "memories": 1, "recalled": 1, "hit_rate": 1.0}]


async def test_after_a_pause_the_figures_are_those_of_the_memories_again(analytics: Analytics) -> None:
    store(analytics, *(str(number) for number in range(recall.PAGES * 100 + 50)))
    stored = analytics.memories.memories
    await analytics.search("a", *stored.values())
    await plugin.cleanup(analytics.context(None))
    for number in range(0, len(stored), 2):
        del stored[str(number)]
    stored["1"] = replace(stored["1"], project="moved")

    await analytics.initialize()
    await analytics.run_tasks()

    answer = await analytics.get("/recall", limit="1")
    assert answer["hit_rate"] == 1.0
    assert await analytics.rows("SELECT count(*) FROM recalled") == [(len(stored),)]
    assert {row["project"]: row["recalled"] for row in answer["projects"]}["moved"] == 1
    await analytics.initialize()
    assert analytics.memories.started == []


async def test_what_is_recalled_during_a_check_stays(analytics: Analytics) -> None:
    began = datetime.now(UTC)
    store(analytics, "1")
    await analytics.search("a", memory("2"), context=analytics.context(at=began + timedelta(seconds=1)))

    await plugin.check_recalls({"began": began.isoformat()}, analytics.context())

    assert await analytics.rows("SELECT memory_id FROM recalled") == [("2",)]


async def test_no_user_learns_what_another_recalled(analytics: Analytics) -> None:
    store(analytics, "1")
    await analytics.search("a", memory("1"), context=analytics.context("ben"))

    mine = await analytics.get("/recall", "ana")

    assert (mine["recalled"], mine["most_recalled"]) == (0, [])
    assert [row["memory_id"] for row in mine["never_recalled"]] == ["1"]
    await plugin.check_recalls({}, analytics.context("ana"))
    assert (await analytics.get("/recall", "ben"))["recalled"] == 1
