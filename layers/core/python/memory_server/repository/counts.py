"""Counting memories in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from psycopg import sql

from memory_server.domain.queries import MemoryCount
from memory_server.repository.pool import Connection
from memory_server.repository.sql import statement
from plugin_kit.json_types import JsonObject

_DAY: Final = sql.SQL("to_char(counted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
_KEYS: Final[Mapping[str, sql.SQL]] = {
    "day": _DAY,
    "born": _DAY,
    "project": sql.SQL("project"),
    "memory_type": sql.SQL("memory_type"),
    "session_id": sql.SQL("session_id"),
}


async def count(connection: Connection, wanted: MemoryCount, *, limit: int) -> Sequence[JsonObject]:
    """Return at most ``limit`` rows of the keys of ``wanted.by`` and ``count``, in the order of the keys."""
    source = "count_born" if "born" in wanted.by else "count_deleted" if wanted.deleted else "count_living"
    by = tuple(dict.fromkeys(wanted.by))
    columns = [sql.SQL("{} AS {}").format(_KEYS[name], sql.Identifier(name)) for name in by]
    places = [sql.Literal(place) for place in range(1, len(by) + 1)]
    query = sql.SQL("{source} SELECT {columns} FROM counted WHERE {where} {grouped} LIMIT %(limit)s").format(
        source=statement(source),
        columns=sql.SQL(", ").join([*columns, sql.SQL("count(*) AS count")]),
        where=sql.SQL(
            "(%(project)s::text IS NULL OR project = %(project)s)"
            " AND (%(since)s::timestamptz IS NULL OR counted_at >= %(since)s)"
            " AND (%(until)s::timestamptz IS NULL OR counted_at < %(until)s)"
        ),
        grouped=sql.SQL("GROUP BY {places} ORDER BY {places}").format(places=sql.SQL(", ").join(places))
        if by
        else sql.SQL(""),
    )
    values = {"project": wanted.project, "since": wanted.since, "until": wanted.until, "limit": limit}
    return await (await connection.execute(query, values)).fetchall()
