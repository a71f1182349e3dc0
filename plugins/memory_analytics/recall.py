"""Which memories are ever found or read, and which never."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.errors import AnswerTooLarge
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory

from .chart import Chart, Report
from .parameters import InvalidParameter, Parameters
from .rows import NO_PROJECT, by_key

KNOWN: Final = ("project", "limit", "after")
PAGES: Final = 20
"""How many pages of 100 memories one call looks through: each is a call of the server."""

_MAX_BARS: Final = 12
_LIVING: Final = "user_id = %s AND (expires_at IS NULL OR expires_at > now())"
_RECALLED: Final = f"""
SELECT project, count(*) AS count FROM recalled WHERE {_LIVING} AND (%s::text IS NULL OR project = %s) GROUP BY project
"""  # noqa: S608  # only text of our own is put in
_MOST: Final = f"""
SELECT memory_id, project, found, read, last_at FROM recalled WHERE {_LIVING} AND (%s::text IS NULL OR project = %s)
ORDER BY found + read DESC, last_at DESC, memory_id LIMIT %s
"""  # noqa: S608  # only text of our own is put in
_KNOWN_ONES: Final = "SELECT memory_id FROM recalled WHERE user_id = %s AND memory_id = ANY (%s)"
_CHECKED: Final = """
UPDATE recalled SET project = memory.project, expires_at = memory.expires_at, version = memory.version,
    checked_at = greatest(checked_at, %s::timestamptz)
FROM jsonb_to_recordset(%s::jsonb -> 'memories') AS memory
    (id text, project text, expires_at timestamptz, version integer)
WHERE recalled.user_id = %s AND recalled.memory_id = memory.id AND recalled.version <= memory.version
"""
_UNCHECKED: Final = """
SELECT FROM recalled WHERE user_id = %s AND checked_at < %s::timestamptz AND last_at < %s::timestamptz LIMIT 1
"""
# What was recalled since the check began may be younger than the pages that it saw.
_GONE: Final = "DELETE FROM recalled WHERE user_id = %s AND checked_at < %s::timestamptz AND last_at < %s::timestamptz"


async def report(query: Mapping[str, str], context: Context) -> Report:
    """Return the hit rate of all memories and of each project, the memories recalled most, and those never recalled.

    The never recalled ones come from new to old. Where ``next`` is not null, there may be more: it is the ``after`` of
    the next call.

    Raises:
        InvalidParameter: a parameter is wrong, or there are too many projects to list them all.
    """
    parameters = Parameters(query, KNOWN)
    limit = parameters.whole("limit", 50, most=500)
    project = parameters.text("project")
    after = _memory_of(parameters.text("after"))
    user_id = context["user_id"]
    database = context["database_service"]
    try:
        living_rows, recalled_rows, most, (never, cursor) = await asyncio.gather(
            context["memory_service"].count(["project"], project=project),
            database.query(_RECALLED, [user_id, project, project]),
            database.query(_MOST, [user_id, project, project, limit]),
            _never_recalled(context, project, limit, after),
        )
    except AnswerTooLarge:
        raise InvalidParameter("project", "is left out, and there are over 10,000 projects: name one") from None
    living = by_key(living_rows, "project")
    found = by_key(recalled_rows, "project")
    rates = {name: (count, found.get(name, 0)) for name, count in living.items()}
    body: JsonObject = {
        "project": project,
        **_rate(sum(living.values()), sum(recalled for _, recalled in rates.values())),
        "projects": [
            {"project": None if name == NO_PROJECT else name, **_rate(*counts)} for name, counts in rates.items()
        ],
        "most_recalled": most,
        "never_recalled": [_described(memory) for memory in never],
        "next": cursor,
    }
    return Report(body, _chart(rates))


async def check(arguments: JsonObject, context: Context) -> JsonObject | None:
    """Look through the next pages of the memories, and return the arguments of the next step; None after the last.

    What was deleted, or moved to another project, while no events came is put right: this is the way from a plugin that
    was off back to the exact figures.
    """
    began = str(arguments.get("began") or datetime.now(UTC).isoformat())
    after = _memory_of(cast("str | None", arguments.get("after")))
    database = context["database_service"]
    ours = [context["user_id"], began, began]
    if not await database.query(_UNCHECKED, ours):
        return None
    for _ in range(PAGES):
        page = await context["memory_service"].list(after=after)
        if not page:
            await database.execute(_GONE, ours)
            return None
        await database.execute(_CHECKED, [began, described(page), context["user_id"]])
        after = page[-1]
    return {"began": began, "after": None if after is None else _cursor(after)}


def described(memories: list[Memory]) -> JsonObject:
    """Return what the tables keep of ``memories``, as their statements take it."""
    return {
        "memories": [
            {
                "id": memory.id,
                "project": memory.project,
                "expires_at": None if memory.expires_at is None else memory.expires_at.isoformat(),
                "version": memory.version,
            }
            for memory in memories
        ]
    }


async def _never_recalled(
    context: Context, project: str | None, limit: int, after: Memory | None
) -> tuple[list[Memory], str | None]:
    """Return up to ``limit`` memories that were never recalled, and where to go on, None where that was all."""
    never: list[Memory] = []
    for _ in range(PAGES):
        page = await context["memory_service"].list(project, after=after)
        if not page:
            return never, None
        ids = [memory.id for memory in page]
        rows = await context["database_service"].query(_KNOWN_ONES, [context["user_id"], ids])
        recalled = {str(row["memory_id"]) for row in rows}
        for memory in page:
            after = memory
            if memory.id not in recalled:
                never.append(memory)
            if len(never) == limit:
                return never, _cursor(after)
    return never, None if after is None else _cursor(after)


def _rate(memories: int, recalled: int) -> dict[str, JsonValue]:
    return {
        "memories": memories,
        "recalled": recalled,
        "hit_rate": round(recalled / memories, 4) if memories else None,
    }


def _described(memory: Memory) -> dict[str, JsonValue]:
    return {
        "memory_id": memory.id,
        "project": memory.project,
        "memory_type": memory.memory_type,
        "created_at": None if memory.created_at is None else memory.created_at.isoformat(),
    }


def _cursor(memory: Memory) -> str:
    assert memory.created_at is not None  # noqa: S101  # a stored memory has the time at which it was stored
    return f"{memory.created_at.astimezone(UTC).replace(tzinfo=None).isoformat()}~{memory.id}"


def _memory_of(cursor: str | None) -> Memory | None:
    """Return the memory after which a page begins."""
    if cursor is None:
        return None
    time, _, memory_id = cursor.partition("~")
    try:
        created_at = datetime.fromisoformat(time).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidParameter("after", f"is {cursor!r}: give the next of an earlier answer") from None
    return Memory(id=memory_id, content="", created_at=created_at)


def _chart(rates: Mapping[str, tuple[int, int]]) -> Chart:
    largest = list(rates.items())[:_MAX_BARS]
    return Chart(
        kind="levels",
        title="Memories that were found or read at least once, by project"
        + (f" (the largest {_MAX_BARS})" if len(rates) > _MAX_BARS else ""),
        description="; ".join(f"{name}: {found} of {count}" for name, (count, found) in largest) or "No memories.",
        label_title="Project",
        value_title="Memories found or read, of 100",
        labels=[name for name, _ in reversed(largest)],
        series={"recalled": [round(100 * found / count, 1) for _, (count, found) in reversed(largest)]},
        empty="There are no memories yet",
    )
