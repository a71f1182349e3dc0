"""An event as the tables keep it: one operation of one user."""

from __future__ import annotations

from datetime import UTC, datetime

from dateutil.parser import isoparse

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue

from .settings import keeps_text, retention_days


def counts(context: Context) -> bool:
    """Return whether the event is one to note: not of a load, whose memories the database counts, and no try-out."""
    return "bulk" not in context["metadata"] and not context["metadata"].get("test")


def operation(context: Context, query: str | None = None, **more: JsonValue) -> list[JsonValue]:
    """Return the parameters by which every statement of ``tables`` notes its event."""
    event = context["metadata"]
    occurred_at = isoparse(str(event["occurred_at"]))
    # NUL is the one character that PostgreSQL has no place for.
    words = None if query is None else " ".join(query.replace("\0", " ").split())
    row: JsonObject = {
        "event_id": event["event_id"],
        "user_id": context["user_id"],
        "occurred_at": occurred_at.isoformat(),
        "hook": event["hook"],
        "project": context["project"],
        "duration_ms": event.get("duration_ms"),
        "lag_ms": max(0.0, (datetime.now(UTC) - occurred_at).total_seconds() * 1000),
        "query_text": words if keeps_text(context) else None,
        **more,
    }
    # Each user's hashes are their own: from none can be told that two users ask the same.
    hashed = None if words is None else f"{context['user_id']}\n{words.casefold()}"
    return [row, hashed, retention_days(context)]
