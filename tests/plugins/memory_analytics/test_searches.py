"""What was searched for, how slowly and in vain; the words only where they are to be kept."""

from __future__ import annotations

from datetime import UTC, datetime

from plugins.memory_analytics import plugin
from tests.plugins.memory_analytics.analytics import Analytics, memory

TEXTS = "SELECT query_text FROM operations WHERE query_text IS NOT NULL"


async def test_frequent_slow_and_vain_queries_each_have_their_list(analytics: Analytics) -> None:
    analytics.config["keep_query_text"] = True
    for query, found, milliseconds in (
        ("where is the key", 2, 10),
        ("Where  is the KEY", 1, 30),
        ("slow one", 1, 500),
        ("unheard of", 0, 5),
    ):
        context = analytics.context(duration_ms=milliseconds)
        await analytics.search(query, *(memory(str(number)) for number in range(found)), context=context)
    await analytics.fire("search_failed", "unheard of", "no embedder", context=analytics.context(duration_ms=1))

    answer = await analytics.get("/searches")

    totals = {name: answer[name] for name in ("searches", "with_results", "without_results", "failed")}
    assert totals == {"searches": 5, "with_results": 3, "without_results": 1, "failed": 1}
    top = answer["frequent"][0]
    assert (top["searches"], top["average_results"], top["p50_ms"]) in ((2, 1.5, 20), (2, 0, 3))
    assert {row["query"].lower() for row in answer["frequent"][:2]} == {"where is the key", "unheard of"}
    assert [row["query"] for row in answer["slow"]][:1] == ["slow one"]
    assert [(row["query"], row["without_results"], row["failed"]) for row in answer["in_vain"]] == [
        ("unheard of", 1, 1)
    ]
    today = datetime.now(UTC).date().isoformat()
    assert answer["days"][-1] == {"day": today, "with_results": 3, "without_results": 1, "failed": 1}
    assert len(answer["days"]) == 30


async def test_without_leave_no_word_of_a_query_is_kept(analytics: Analytics) -> None:
    await analytics.search("a secret")
    await analytics.search("A  Secret")

    (row,) = (await analytics.get("/searches"))["frequent"]

    assert (row["query"], row["searches"]) == (None, 2)
    assert await analytics.rows(TEXTS) == []
    tables = await analytics.rows("SELECT operations::text || query_key::text FROM operations, query_key")
    assert not any("secret" in str(text).lower() for (text,) in tables)


async def test_the_same_query_of_two_users_has_two_hashes(analytics: Analytics) -> None:
    for user in ("ana", "ben"):
        await analytics.search("the same", context=analytics.context(user))

    hashes = [(await analytics.get("/searches", user))["frequent"] for user in ("ana", "ben")]

    assert [len(rows) for rows in hashes] == [1, 1]
    assert hashes[0][0]["query_hash"] != hashes[1][0]["query_hash"]


async def test_texts_are_hidden_at_once_and_forgotten_within_a_day_of_being_unwanted(analytics: Analytics) -> None:
    analytics.config["keep_query_text"] = True
    await analytics.search("a secret")
    await plugin.prune(analytics.context(None))
    assert await analytics.rows(TEXTS) == [("a secret",)]

    analytics.config["keep_query_text"] = False
    (row,) = (await analytics.get("/searches"))["frequent"]
    await plugin.prune(analytics.context(None))

    assert row["query"] is None
    assert await analytics.rows(TEXTS) == []


async def test_searches_can_be_asked_for_by_project_and_time(analytics: Analytics) -> None:
    for day, project in ((1, "a"), (2, "a"), (2, "b"), (3, "a")):
        at = datetime(2026, 11, day, 23, 59, tzinfo=UTC)
        await analytics.search("q", context=analytics.context(at=at, project=project))
    analytics.config["retention_days"] = 3660

    answer = await analytics.get("/searches", since="2026-11-01", until="2026-11-03", project="a")

    assert [(day["day"], day["without_results"]) for day in answer["days"]] == [("2026-11-01", 1), ("2026-11-02", 1)]


async def test_a_query_with_what_postgresql_cannot_keep_is_counted(analytics: Analytics) -> None:
    analytics.config["keep_query_text"] = True
    await analytics.search("nul \0 and % and 😀")
    (row,) = (await analytics.get("/searches"))["frequent"]
    assert row["query"] == "nul and % and 😀"
