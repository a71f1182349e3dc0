"""Counts what happens to memories: events a day, by hook, user, project and memory type."""

from __future__ import annotations

from datetime import UTC, date

from dateutil.parser import isoparse

from plugin_kit.context import Context
from plugin_kit.models import Memory, MemoryType, SearchResult

PLUGIN_INFO = {
    "name": "Memory Analytics",
    "version": "0.1.0",
    "description": "Counts events a day by hook, user, project and memory type",
    "author": "The mcp-memory-server authors",
    "hooks": ["memory_created", "memory_updated", "memory_deleted", "memory_retrieved", "search_performed"],
    "permissions": ["database:write"],
}

# Two environments may start at once, and CREATE ... IF NOT EXISTS alone does not stop them from colliding.
TABLES = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('memory_analytics'));
    CREATE TABLE IF NOT EXISTS daily_counts (
        day date NOT NULL,
        hook text NOT NULL,
        user_id text,
        project text,
        memory_type text,
        events bigint NOT NULL,
        UNIQUE NULLS NOT DISTINCT (day, hook, user_id, project, memory_type)
    );
    CREATE TABLE IF NOT EXISTS counted_events (
        event_id uuid PRIMARY KEY,
        counted_at timestamptz NOT NULL DEFAULT now()
    );
END $$
"""

# Queues keep a message for 14 days at most; after twice that long no event can come again.
FORGET = "DELETE FROM counted_events WHERE counted_at < now() - interval '28 days'"

# One statement, so one transaction: the event is noted and counted, or neither.
COUNT = """
WITH counted AS (
    INSERT INTO counted_events (event_id) VALUES (%s::uuid) ON CONFLICT DO NOTHING RETURNING event_id
)
INSERT INTO daily_counts AS counts (day, hook, user_id, project, memory_type, events)
SELECT %s::date, %s::text, %s::text, %s::text, %s::text, 1 FROM counted
ON CONFLICT (day, hook, user_id, project, memory_type) DO UPDATE SET events = counts.events + 1
"""


async def initialize(context: Context) -> None:
    """Make the tables, and forget events that cannot come again."""
    await context["database_service"].execute(TABLES)
    await context["database_service"].execute(FORGET)


async def memory_created(memory: Memory, context: Context) -> None:
    await _count(context, memory.memory_type)


async def memory_updated(memory: Memory, context: Context) -> None:
    await _count(context, memory.memory_type)


async def memory_deleted(memory_id: str, context: Context) -> None:
    await _count(context)


async def memory_retrieved(memory: Memory, context: Context) -> None:
    await _count(context, memory.memory_type)


async def search_performed(query: str, results: list[SearchResult], context: Context) -> None:
    await _count(context)


async def _count(context: Context, memory_type: MemoryType | None = None) -> None:
    event = context["metadata"]
    await context["database_service"].execute(
        COUNT,
        [
            event["event_id"],
            _day(str(event["occurred_at"])).isoformat(),
            event["hook"],
            context["user_id"],
            context["project"],
            memory_type,
        ],
    )


def _day(time: str) -> date:
    """Return the day in UTC of an ISO 8601 ``time``."""
    return isoparse(time).astimezone(UTC).date()
