"""How the memories grow: by day or week, and by project or type. The database's own figures, to the last memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, timedelta
from typing import Final

from plugin_kit.context import Context
from plugin_kit.errors import AnswerTooLarge
from plugin_kit.json_types import JsonObject, JsonValue

from .chart import MAX_SERIES, Chart, Report
from .groups import counted
from .parameters import InvalidParameter, Parameters, Period
from .rows import NO_PROJECT, number

KNOWN: Final = ("by", "split", "project", "since", "until")
MAX_ROWS: Final = 10_000
_DEFAULT_DAYS: Final = {"day": 30, "week": 52 * 7}
Counts = Counter[tuple[str, str | None]]
"""Counts by period and by group; the group is None where nothing is split, or a memory has no project."""


async def report(query: Mapping[str, str], context: Context) -> Report:
    """Return how many memories each period got, and kept, and lost.

    Raises:
        InvalidParameter: a parameter is wrong, or the answer would have over ``MAX_ROWS`` rows.
    """
    parameters = Parameters(query, KNOWN)
    by = parameters.choice("by", ("day", "week")) or "day"
    split = parameters.choice("split", ("project", "memory_type"))
    period = parameters.period(days=_DEFAULT_DAYS[by])
    project = parameters.text("project")
    start = _week if by == "week" else _same_day
    try:
        created, remaining, deleted, before = await _counts(context, period, split, project, start)
    except AnswerTooLarge:
        fewer = "" if by == "week" else "by=week, "
        raise InvalidParameter(
            "split", f"gives over {MAX_ROWS:,} rows: give a shorter time with since and until, {fewer}or one project"
        ) from None
    labels = list(dict.fromkeys(start(day.isoformat()) for day in period.days()))
    # Another clock than this one may have called it a day already.
    labels += sorted({label for label, _ in created} - set(labels))
    rows = _rows(labels, split, created, remaining, deleted, before)
    body: JsonObject = {
        **period.to_dict(),
        "by": by,
        "split": split,
        "project": project,
        "created": created.total(),
        "remaining": remaining.total(),
        "deleted": deleted.total(),
        "before": before,
        "periods": rows,
    }
    return Report(body, _chart(by, split, labels, created, remaining))


async def _counts(
    context: Context, period: Period, split: str | None, project: str | None, start: Callable[[str], str]
) -> tuple[Counts, Counts, Counts, int]:
    async def of(key: str, *, deleted: bool = False) -> Counts:
        rows = counted(
            context["memory_service"],
            [key, *([split] if split else [])],
            project=project,
            since=period.since,
            until=period.until,
            deleted=deleted,
        )
        counts: Counts = Counter()
        async with aclosing(rows):
            async for row in rows:
                group = row[split] if split else None
                counts[start(str(row[key])), None if group is None else str(group)] += number(row, "count")
                _check_number(counts)
        return counts

    async def earlier() -> int:
        (row,) = await context["memory_service"].count(project=project, until=period.since)
        return number(row, "count")

    created, remaining, gone, before = await asyncio.gather(of("born"), of("day"), of("day", deleted=True), earlier())
    _check_number(created | remaining | gone)
    return created, remaining, gone, before


def _check_number(counts: Counts) -> None:
    """Refuse what is too much as soon as it is known to be: nobody waits for the rest."""
    if len(counts) > MAX_ROWS:
        raise AnswerTooLarge


def _rows(
    labels: Sequence[str], split: str | None, created: Counts, remaining: Counts, deleted: Counts, before: int
) -> list[JsonValue]:
    """Return a row a period, or where it is split a row for each period and group that has something to tell."""
    groups = sorted({*created, *remaining, *deleted}, key=lambda key: (key[1] is not None, key[1] or ""))
    total = before
    rows: list[JsonValue] = []
    for label in labels:
        keys = [key for key in groups if key[0] == label] if split else [(label, None)]
        for key in keys:
            row: dict[str, JsonValue] = {"period": label, **({split: key[1]} if split else {})}
            row |= {"created": created[key], "remaining": remaining[key], "deleted": deleted[key]}
            if not split:
                total += remaining[key]
                row["total"] = total
            rows.append(row)
    return rows


def _chart(by: str, split: str | None, labels: Sequence[str], created: Counts, remaining: Counts) -> Chart:
    if split:
        series = _largest(labels, created)
    else:
        still = [remaining[label, None] for label in labels]
        series = {
            "still there": still,
            "gone since": [max(created[label, None] - count, 0) for label, count in zip(labels, still, strict=True)],
        }
    of = {"project": ", by project", "memory_type": ", by type"}[split] if split else ""
    return Chart(
        kind="bars",
        title=f"Memories created per {by}{of}",
        description=f"{created.total()} memories were created from {labels[0]} to {labels[-1]}, "
        f"and {remaining.total()} of them are still there.",
        label_title="Day (UTC)" if by == "day" else "Week, by its Monday (UTC)",
        value_title="Memories",
        labels=labels,
        series=series,
        empty="No memories were created in this time",
    )


def _largest(labels: Sequence[str], created: Counts) -> dict[str, Sequence[float | None]]:
    totals: Counter[str | None] = Counter()
    for (_, group), count in created.items():
        totals[group] += count
    named = [group for group, _ in totals.most_common(MAX_SERIES)]
    series: dict[str, Sequence[float | None]] = {
        NO_PROJECT if group is None else group: [created[label, group] for label in labels] for group in named
    }
    rest = [group for group in totals if group not in named]
    if rest:
        series[f"{len(rest)} others"] = [sum(created[label, group] for group in rest) for label in labels]
    return series


def _same_day(day: str) -> str:
    return day


def _week(day: str) -> str:
    """Return the Monday of the week of ``day``."""
    time = date.fromisoformat(day)
    return (time - timedelta(days=time.weekday())).isoformat()
