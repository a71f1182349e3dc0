"""How long operations take, and how long events are on their way to a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue

from .chart import Chart, Report
from .parameters import Parameters
from .rows import decimal, number

KNOWN: Final = ("since", "until")
_NAMES: Final = {
    "memory_created": "create",
    "memory_updated": "update",
    "memory_retrieved": "read",
    "search_performed": "search",
    "hook_lag": "hook_lag",
}
# A row an operation and day, and one an operation of the whole time: its day is null.
_PERCENTILES: Final = """
SELECT name, day::text, count(*) AS count,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99_ms,
    max(ms) AS max_ms
FROM operations
CROSS JOIN LATERAL (VALUES (hook, duration_ms), ('hook_lag', lag_ms)) AS measured (name, ms)
CROSS JOIN LATERAL (SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day) AS date
WHERE user_id = %s AND occurred_at >= %s::timestamptz AND occurred_at < coalesce(%s::timestamptz, 'infinity')
    AND ms IS NOT NULL AND name = ANY (%s)
GROUP BY GROUPING SETS ((name), (name, day))
ORDER BY day, name
"""


async def report(query: Mapping[str, str], context: Context) -> Report:
    """Return the percentiles of each operation's time in milliseconds, of the whole time and of each day.

    Raises:
        InvalidParameter: a parameter is wrong.
    """
    period = Parameters(query, KNOWN).period(days=30)
    rows = await context["database_service"].query(
        _PERCENTILES, [context["user_id"], *period.to_dict().values(), list(_NAMES)]
    )
    days: list[dict[str, JsonValue]] = [
        {"day": row["day"], "operation": _NAMES[str(row["name"])], **_figures(row)} for row in rows if row["day"]
    ]
    whole: dict[str, JsonValue] = {_NAMES[str(row["name"])]: _figures(row) for row in rows if not row["day"]}
    body: JsonObject = {**period.to_dict(), "operations": whole, "days": days}
    labels = [day.isoformat() for day in period.days()]
    by_key = {(str(day["operation"]), str(day["day"])): decimal(day, "p95_ms") for day in days}
    names = [name for name in _NAMES.values() if name in whole]
    chart = Chart(
        kind="lines",
        title="95th percentile of the time that operations take, per day",
        description=f"Of every 20 operations of a day, 19 took at most as long as shown; {', '.join(names) or 'none'}.",
        label_title="Day (UTC)",
        value_title="Milliseconds, logarithmic",
        labels=labels,
        # What takes no measurable time has no place on a logarithmic scale.
        series={name.replace("_", " "): [by_key.get((name, label)) or None for label in labels] for name in names},
        empty="Nothing was measured in this time",
    )
    return Report(body, chart)


def _figures(row: JsonObject) -> dict[str, JsonValue]:
    return {
        "count": number(row, "count"),
        **{key: decimal(row, key) for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms")},
    }
