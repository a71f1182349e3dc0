"""Percentiles are those of the events that were seen, and usage is counted by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import quantiles

from tests.plugins.memory_analytics.analytics import Analytics, memory


async def test_percentiles_are_exact_for_each_operation_and_day(analytics: Analytics) -> None:
    now = datetime.now(UTC)
    for number in range(1, 101):
        at = now - timedelta(days=number % 2)
        await analytics.search("q", context=analytics.context(at=at, duration_ms=number))
    await analytics.fire("memory_created", memory("1"), context=analytics.context(duration_ms=7))

    answer = await analytics.get("/performance")

    cuts = quantiles(range(1, 101), n=100, method="inclusive")
    search = answer["operations"]["search"]
    assert search == {
        "count": 100,
        "p50_ms": round(cuts[49], 3),
        "p95_ms": round(cuts[94], 3),
        "p99_ms": round(cuts[98], 3),
        "max_ms": 100,
    }
    assert answer["operations"]["create"]["p99_ms"] == 7
    assert answer["operations"]["hook_lag"]["count"] == 101
    days = [(day["day"], day["count"], day["max_ms"]) for day in answer["days"] if day["operation"] == "search"]
    yesterday = now - timedelta(days=1)
    assert days == [(yesterday.date().isoformat(), 50, 99), (now.date().isoformat(), 50, 100)]


async def test_events_that_tell_no_duration_count_for_the_lag_alone(analytics: Analytics) -> None:
    await analytics.fire("memory_deleted", "1", context=analytics.context(at=datetime.now(UTC) - timedelta(seconds=5)))

    answer = await analytics.get("/performance")

    assert list(answer["operations"]) == ["hook_lag"]
    assert 5000 <= answer["operations"]["hook_lag"]["p50_ms"] < 20000


async def test_another_users_operations_are_in_no_figure(analytics: Analytics) -> None:
    await analytics.search("q", context=analytics.context("ben", duration_ms=1))

    assert (await analytics.get("/performance", "ana"))["operations"] == {}
    assert (await analytics.get("/searches", "ana"))["searches"] == 0
    assert set((await analytics.get("/stats", "ana"))["usage"]["totals"].values()) == {0}


async def test_stats_tell_what_there_is_and_what_was_done(analytics: Analytics) -> None:
    stored = replace(memory("1"), memory_type="decision")
    analytics.memories.memories = {"1": stored, "2": memory("2", None)}
    await analytics.fire("memory_retrieved", stored)
    await analytics.fire("memory_updated", stored)
    await analytics.search("q", stored)

    answer = await analytics.get("/stats")

    assert answer["memories"] == {
        "living": 2,
        "created": 2,
        "deleted": 0,
        "by_type": {"decision": 1, "knowledge": 1},
        "projects": 2,
        "by_project": {"(no project)": 1, "home": 1},
    }
    usage = {"creates": 2, "updates": 1, "deletes": 0, "reads": 1, "searches": 1, "failed_searches": 0}
    assert answer["usage"]["totals"] == usage
    assert answer["usage"]["days"][-1] == {"day": datetime.now(UTC).date().isoformat(), **usage}
