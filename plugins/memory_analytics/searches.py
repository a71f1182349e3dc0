"""What is searched for: how often, how slowly, and in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue

from .chart import Chart, Report
from .parameters import Parameters
from .rows import decimal, number
from .settings import keeps_text

KNOWN: Final = ("since", "until", "limit", "project")
_WITHIN: Final = """
FROM operations
WHERE user_id = %s AND occurred_at >= %s::timestamptz AND occurred_at < coalesce(%s::timestamptz, 'infinity')
    AND (%s::text IS NULL OR project = %s) AND hook IN ('search_performed', 'search_failed')
"""
_DAYS: Final = f"""
SELECT (occurred_at AT TIME ZONE 'UTC')::date::text AS day,
    count(*) FILTER (WHERE results > 0) AS with_results,
    count(*) FILTER (WHERE results = 0) AS without_results,
    count(*) FILTER (WHERE hook = 'search_failed') AS failed
{_WITHIN}
GROUP BY 1
"""
_QUERIES: Final = """
SELECT query_hash, max(query_text) AS query, count(*) AS searches,
    count(*) FILTER (WHERE results = 0) AS without_results,
    count(*) FILTER (WHERE hook = 'search_failed') AS failed,
    avg(results)::double precision AS average_results,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS p50_ms, max(duration_ms) AS max_ms,
    max(occurred_at) AS last_at
{within}
GROUP BY query_hash {having}
ORDER BY {order}, last_at DESC, query_hash LIMIT %s
"""
_FREQUENT: Final = _QUERIES.format(within=_WITHIN, having="", order="searches DESC")
_SLOW: Final = _QUERIES.format(within=_WITHIN, having="HAVING count(duration_ms) > 0", order="p50_ms DESC")
_IN_VAIN: Final = _QUERIES.format(
    within=_WITHIN, having="HAVING count(*) FILTER (WHERE results = 0) > 0", order="without_results DESC"
)


async def report(query: Mapping[str, str], context: Context) -> Report:
    """Return the searches a day, and the frequent, slow and vain queries; where texts are not kept, by hash.

    Raises:
        InvalidParameter: a parameter is wrong.
    """
    parameters = Parameters(query, KNOWN)
    period = parameters.period(days=30)
    limit = parameters.whole("limit", 10, most=100)
    project = parameters.text("project")
    within = [context["user_id"], *period.to_dict().values(), project, project]
    database = context["database_service"]
    keep_text = keeps_text(context)
    counted, frequent, slow, in_vain = await asyncio.gather(
        database.query(_DAYS, within),
        *(database.query(sql, [*within, limit]) for sql in (_FREQUENT, _SLOW, _IN_VAIN)),
    )
    by_day = {str(row["day"]): row for row in counted}
    labels = sorted({day.isoformat() for day in period.days()} | by_day.keys())
    series = {
        name: [number(by_day.get(label, {}), name) for label in labels]
        for name in ("with_results", "without_results", "failed")
    }
    totals = {name: sum(counts) for name, counts in series.items()}
    body: JsonObject = {
        **period.to_dict(),
        "project": project,
        "searches": sum(totals.values()),
        **totals,
        "frequent": [_query(row, keep_text=keep_text) for row in frequent],
        "slow": [_query(row, keep_text=keep_text) for row in slow],
        "in_vain": [_query(row, keep_text=keep_text) for row in in_vain],
        "days": [
            {"day": label, **{name: counts[index] for name, counts in series.items()}}
            for index, label in enumerate(labels)
        ],
    }
    chart = Chart(
        kind="bars",
        title="Searches per day",
        description=f"{totals['with_results']} searches found something, {totals['without_results']} found nothing and "
        f"{totals['failed']} failed, from {labels[0]} to {labels[-1]}.",
        label_title="Day (UTC)",
        value_title="Searches",
        labels=labels,
        series={name.replace("_", " "): counts for name, counts in series.items()},
        empty="Nothing was searched for in this time",
    )
    return Report(body, chart)


def _query(row: JsonObject, *, keep_text: bool) -> dict[str, JsonValue]:
    return {
        "query": row["query"] if keep_text else None,
        "query_hash": row["query_hash"],
        **{key: number(row, key) for key in ("searches", "without_results", "failed")},
        **{key: decimal(row, key) for key in ("average_results", "p50_ms", "max_ms")},
        "last_at": row["last_at"],
    }
