"""The log of notifications."""

from __future__ import annotations

from typing import Final

from plugin_kit.context import Context
from plugin_kit.models import EndpointRequest

from .answers import Answer, answering
from .errors import InvalidSettings

_MAX: Final = 200
_STATES: Final = ("waiting", "sent", "failed")
_LIST: Final = """
SELECT notifications.id::text, channel_id::text, channels.name AS channel, rule_id::text, event_id, hook,
    message_id::text, state, attempts, error, notifications.created_at::text, attempted_at::text,
    CASE WHEN state = 'waiting' THEN due_at::text END AS due_at
FROM notifications JOIN channels ON channels.id = channel_id
WHERE notifications.user_id = %s
    AND (%s::text IS NULL OR channel_id::text = %s) AND (%s::text IS NULL OR state = %s)
    AND (%s::text IS NULL OR (notifications.created_at, notifications.id) <
        (SELECT created_at, id FROM notifications last WHERE last.id::text = %s AND last.user_id = %s))
ORDER BY notifications.created_at DESC, notifications.id DESC LIMIT %s
"""


@answering
async def list_notifications(request: EndpointRequest, context: Context) -> Answer:
    """Answer the user's notifications from new to old: of a ``channel``, in a ``state``, ``before`` one of them."""
    query = request.query
    state, limit = query.get("state"), query.get("limit", "50")
    for key in query:
        if key not in ("channel", "state", "before", "limit"):
            raise InvalidSettings(f"{key}: there is no such parameter: there are channel, state, before and limit")
    if state not in (None, *_STATES):
        raise InvalidSettings(f"state: write one of {', '.join(_STATES)}")
    if not limit.isdecimal() or not 1 <= int(limit) <= _MAX:
        raise InvalidSettings(f"limit: write a number from 1 to {_MAX}")
    user, channel, before = str(context["user_id"]), query.get("channel"), query.get("before")
    values = [user, channel, channel, state, state, before, before, user, int(limit)]
    return {"notifications": await context["database_service"].query(_LIST, values)}
