"""From an event to its notifications."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject

from .delivery import Deliverer
from .errors import NotificationError
from .notices import Notice
from .outbox import Entry, Outbox
from .rule_store import RuleStore
from .rules import Rule

_SECONDS: Final = 2.0  # a batch of ten events shares 29


async def tell(notice: Notice, context: Context) -> None:
    """Note the notifications of the event, and send at once what is due; the rest is the schedule's.

    An event that is noted is not lost: nothing that fails afterwards lets the event come again.
    """
    user_id = context["user_id"]
    if user_id is None:
        return
    database, now = context["database_service"], datetime.now(UTC)
    entries = [
        entry
        for row in await RuleStore(database, user_id).for_hook(notice.hook)
        if (entry := _entry(row, notice, now)) is not None
    ]
    if not entries:
        return
    entries.sort(key=lambda entry: entry.due_at)  # of a channel's rules, the one that tells first counts
    await Outbox(database).put(user_id, str(context["metadata"]["event_id"]), notice, entries)
    due = [entry.channel_id for entry in entries if entry.due_at <= now]
    try:
        await Deliverer.of(context, seconds=_SECONDS, patient=False).deliver(list(dict.fromkeys(due)))
    except NotificationError as error:
        context["logger"].warning("notifications wait: %s", error)


def _entry(row: JsonObject, notice: Notice, now: datetime) -> Entry | None:
    settings = cast(JsonObject, row["settings"])
    rule = Rule.of(settings)
    if not rule.wants(notice):
        return None
    return Entry(
        channel_id=str(row["channel_id"]),
        rule_id=str(row["id"]),
        template=cast("JsonObject | None", settings.get("template")),
        digest=rule.digest_minutes > 0,
        due_at=rule.due(now),
    )
