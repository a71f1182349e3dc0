"""How much the memories are used: what there is, and what was done a day."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from plugin_kit.context import Context, MemoryService
from plugin_kit.errors import AnswerTooLarge
from plugin_kit.json_types import JsonObject, JsonValue

from .chart import Chart, Report
from .groups import counted
from .parameters import Parameters, Period
from .rows import by_key, number

KNOWN: Final = ("since", "until")
OPERATIONS: Final[Sequence[str]] = ("creates", "updates", "deletes", "reads", "searches", "failed_searches")
_MAX_PROJECTS: Final = 100
_OF_HOOK: Final = {
    "memory_updated": "updates",
    "memory_retrieved": "reads",
    "search_performed": "searches",
    "search_failed": "failed_searches",
}
_COUNT: Final = """
SELECT (occurred_at AT TIME ZONE 'UTC')::date::text AS day, hook, count(*) AS count FROM operations
WHERE user_id = %s AND occurred_at >= %s::timestamptz AND occurred_at < coalesce(%s::timestamptz, 'infinity')
    AND hook = ANY (%s)
GROUP BY 1, 2
"""


async def report(query: Mapping[str, str], context: Context) -> Report:
    """Return what there is of memories, and how often each operation was done.

    Creations and deletions are the database's own figures; updates, reads and searches are events that were seen.

    Raises:
        InvalidParameter: a parameter is wrong.
    """
    period = Parameters(query, KNOWN).period(days=30)
    memories, days = await asyncio.gather(_memories(context), _days(context, period))
    totals: dict[str, JsonValue] = {name: sum(day[name] for day in days.values()) for name in OPERATIONS}
    usage: JsonObject = {**period.to_dict(), "totals": totals, "days": [{"day": day, **days[day]} for day in days]}
    return Report({"memories": memories, "usage": usage}, _chart(days))


async def _memories(context: Context) -> dict[str, JsonValue]:
    memories = context["memory_service"]
    types, ever, deleted = await asyncio.gather(
        memories.count(["memory_type"]), memories.count(["born"]), memories.count(deleted=True)
    )
    by_type, by_project = by_key(types, "memory_type"), await _by_project(memories, ever)
    return {
        "living": sum(by_type.values()),
        "created": sum(number(row, "count") for row in ever),
        "deleted": number(deleted[0], "count"),
        "by_type": by_type,
        "projects": None if by_project is None else len(by_project),
        "by_project": None if by_project is None else dict(list(by_project.items())[:_MAX_PROJECTS]),
    }


async def _by_project(memories: MemoryService, ever: Sequence[JsonObject]) -> dict[str, int] | None:
    """Return how many living memories each project has, None where a single load brought too many projects to count.

    ``ever`` are the days on which any memory came to be.
    """
    first = min((str(row["born"]) for row in ever), default="0001-01-01")
    since = datetime.fromisoformat(first).replace(tzinfo=UTC)
    try:
        return by_key([row async for row in counted(memories, ["project"], since=since)], "project")
    except AnswerTooLarge:
        return None


async def _days(context: Context, period: Period) -> dict[str, dict[str, int]]:
    """Return how often each of OPERATIONS was done, by day."""
    memories = context["memory_service"]
    born, gone, seen = await asyncio.gather(
        memories.count(["born"], since=period.since, until=period.until),
        memories.count(["day"], since=period.since, until=period.until, deleted=True),
        context["database_service"].query(_COUNT, [context["user_id"], *period.to_dict().values(), list(_OF_HOOK)]),
    )
    done = [("creates", str(row["born"]), row) for row in born]
    done += [("deletes", str(row["day"]), row) for row in gone]
    done += [(_OF_HOOK[str(row["hook"])], str(row["day"]), row) for row in seen]
    labels = sorted({day.isoformat() for day in period.days()} | {day for _, day, _ in done})
    days: dict[str, dict[str, int]] = {day: dict.fromkeys(OPERATIONS, 0) for day in labels}
    for operation, day, row in done:
        days[day][operation] += number(row, "count")
    return days


def _chart(days: Mapping[str, Mapping[str, int]]) -> Chart:
    labels = list(days)
    names = [name for name in OPERATIONS if any(day[name] for day in days.values())]
    total = sum(sum(day.values()) for day in days.values())
    return Chart(
        kind="bars",
        title="Operations per day",
        description=f"{total} operations from {labels[0]} to {labels[-1]}: {', '.join(names) or 'none'}.",
        label_title="Day (UTC)",
        value_title="Operations",
        labels=labels,
        series={name.replace("_", " "): [days[label][name] for label in labels] for name in names},
        empty="Nothing was done in this time",
    )
