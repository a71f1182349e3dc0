"""Keeps a journal of new memories, answers how many each project got, and forgets what is old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse, Memory

PLUGIN_INFO = {
    "name": "Advanced Plugin",
    "version": "1.0.0",
    "description": "Keeps a journal of new memories and answers how many each project got",
    "author": "The mcp-memory-server authors",
    "hooks": ["memory_created"],
    "priority": 10,  # before the plugins that name none: theirs is 100
    "permissions": ["database:read", "database:write"],
    "config": {
        "type": "object",
        "properties": {
            "keep_days": {"type": "integer", "minimum": 1, "default": 90, "description": "Older entries go."},
        },
        "additionalProperties": False,
    },
    "schedules": {"forget_old_entries": "rate(1 day)"},
    "endpoints": [
        {
            "method": "GET",
            "path": "/projects/{project}",
            "handler": "project_activity",
            "summary": "How many memories a project got, and when the latest",
            "response": {
                "type": "object",
                "properties": {
                    "project": {"type": "string"},
                    "memories": {"type": "integer"},
                    "latest_at": {"type": ["string", "null"]},
                },
                "required": ["project", "memories", "latest_at"],
            },
        }
    ],
}

# Two environments may start at once, and CREATE ... IF NOT EXISTS alone does not stop them from colliding.
TABLE = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('advanced_plugin'));
    CREATE TABLE IF NOT EXISTS journal (
        event_id uuid PRIMARY KEY,
        user_id text,
        project text,
        created_at timestamptz NOT NULL
    );
END $$
"""

# An event may come again under the same id.
ADD = """
INSERT INTO journal (event_id, user_id, project, created_at) VALUES (%s::uuid, %s, %s, %s::timestamptz)
ON CONFLICT DO NOTHING
"""

ACTIVITY = """
SELECT count(*) AS memories, max(created_at)::text AS latest_at FROM journal WHERE user_id = %s AND project = %s
"""

FORGET = "DELETE FROM journal WHERE created_at < now() - make_interval(days => %s::int)"


async def initialize(context: Context) -> None:
    await context["database_service"].execute(TABLE)


async def memory_created(memory: Memory, context: Context) -> None:
    event = context["metadata"]
    entry = [event["event_id"], context["user_id"], memory.project, event["occurred_at"]]
    await context["database_service"].execute(ADD, entry)


async def forget_old_entries(context: Context) -> None:
    await context["database_service"].execute(FORGET, [_config(context)["keep_days"]])


async def project_activity(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    project = request.path_params["project"]
    (row,) = await context["database_service"].query(ACTIVITY, [context["user_id"], project])
    if row["memories"] == 0:
        return EndpointResponse(status=404, body={"detail": f"no memory of the project {project} was seen yet"})
    return {"project": project, **row}


def _config(context: Context) -> Mapping[str, JsonValue]:
    return cast(JsonObject, context["server_config"]["config"])
