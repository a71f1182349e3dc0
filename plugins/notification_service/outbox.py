"""What is to be sent, and what was: one row a channel and event, so that no channel is told of an event twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from plugin_kit.context import DatabaseService
from plugin_kit.json_types import JsonObject, dumps

from .channels import Channel
from .notices import Notice
from .templates import Template

_PUT: Final = """
INSERT INTO notifications (user_id, channel_id, rule_id, event_id, hook, template, digest, notice, due_at)
SELECT %s, channel_id, rule_id, %s, %s, template, digest, %s::jsonb, due_at
FROM jsonb_to_recordset(%s::jsonb) AS each (channel_id uuid, rule_id uuid, template jsonb, digest boolean,
    due_at timestamptz)
ON CONFLICT (channel_id, event_id) DO NOTHING
"""
_DUE: Final = """
SELECT channel_id::text AS id FROM notifications JOIN channels ON channels.id = channel_id
WHERE state = 'waiting' AND due_at <= now() AND enabled AND held_until <= now() AND leased_until <= now()
GROUP BY channel_id ORDER BY min(due_at) LIMIT 200
"""
# One sender at a time: so the throttle holds, and what is sent twice is so by a crash alone.
_LEASE: Final = """
UPDATE channels SET leased_until = now() + interval '90 seconds'
WHERE id = %s::uuid AND enabled AND held_until <= now() AND leased_until <= now() AND (%s OR slow_until <= now())
RETURNING id::text, user_id, name, kind, target, sealed, throttle_messages, throttle_seconds, enabled, disabled_reason,
    created_at::text
"""
_RELEASE: Final = """
UPDATE channels SET leased_until = '-infinity', held_until = greatest(held_until, now() + %s * interval '1 second'),
    slow_until = CASE WHEN %s THEN now() + interval '1 hour' ELSE slow_until END
WHERE id = %s::uuid
"""
_TAKE: Final = """
WITH first AS (
    SELECT * FROM notifications
    WHERE channel_id = %s::uuid AND state = 'waiting' AND due_at <= now() ORDER BY due_at, created_at, id LIMIT 1
), allowed AS (
    SELECT throttle_messages > count(DISTINCT message_id) AS now FROM channels LEFT JOIN notifications
        ON channel_id = channels.id AND attempted_at > now() - throttle_seconds * interval '1 second'
    WHERE channels.id = %s::uuid GROUP BY channels.id
), together AS (
    SELECT each.id FROM notifications each, first
    WHERE each.channel_id = first.channel_id AND each.state = 'waiting' AND CASE
        WHEN first.message_id IS NOT NULL THEN each.message_id = first.message_id
        WHEN first.digest THEN each.digest AND each.rule_id = first.rule_id AND each.message_id IS NULL
            AND each.due_at <= now()
        ELSE each.id = first.id END
    ORDER BY each.created_at, each.id LIMIT 50
)
UPDATE notifications SET message_id = coalesce(first.message_id, first.id), attempts = notifications.attempts + 1,
    attempted_at = now()
FROM first, allowed WHERE allowed.now AND notifications.id IN (SELECT id FROM together)
RETURNING notifications.id::text, notifications.message_id::text, notifications.attempts, notifications.digest,
    notifications.template, notifications.notice, notifications.created_at::text
"""
_SENT: Final = """
UPDATE notifications SET state = 'sent', error = NULL, notice = NULL, template = NULL
WHERE channel_id = %s::uuid AND message_id = %s::uuid AND state = 'waiting'
"""
_FAILED: Final = """
UPDATE notifications SET error = %s, due_at = now() + coalesce(%s, 0) * interval '1 second',
    state = CASE WHEN %s THEN 'failed' ELSE state END,
    notice = CASE WHEN %s THEN NULL ELSE notice END,
    template = CASE WHEN %s THEN NULL ELSE template END
WHERE channel_id = %s::uuid AND message_id = %s::uuid AND state = 'waiting'
"""
_SWITCH_OFF: Final = """
WITH off AS (UPDATE channels SET enabled = false, disabled_reason = %s WHERE id = %s::uuid RETURNING id)
UPDATE notifications SET state = 'failed', error = %s, notice = NULL, template = NULL
FROM off WHERE channel_id = off.id AND state = 'waiting'
"""
_FORGET: Final = "DELETE FROM notifications WHERE created_at < now() - %s * interval '1 day'"


@dataclass(frozen=True, slots=True)
class Entry:
    """A notification to be made: of which rule, for which channel, when."""

    channel_id: str
    rule_id: str
    template: JsonObject | None
    digest: bool
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """Notifications that are sent as one message, for the ``attempts``-th time."""

    message_id: str
    attempts: int
    digest: bool
    template: Template
    notices: Sequence[Notice]


@dataclass(frozen=True, slots=True)
class Outbox:
    """The notifications of all users, as the deliverer needs them."""

    database: DatabaseService

    async def put(self, user_id: str, event_id: str, notice: Notice, entries: Sequence[Entry]) -> None:
        """Store what is to be sent of an event. Where a channel has the event already, nothing changes."""
        rows = [
            {
                "channel_id": entry.channel_id,
                "rule_id": entry.rule_id,
                "template": entry.template,
                "digest": entry.digest,
                "due_at": entry.due_at.isoformat(),
            }
            for entry in entries
        ]
        await self.database.execute(_PUT, [user_id, event_id, notice.hook, dumps(notice.to_dict()), dumps(rows)])

    async def due_channels(self) -> list[str]:
        return [str(row["id"]) for row in await self.database.query(_DUE)]

    async def lease(self, channel_id: str, *, patient: bool) -> Channel | None:
        """Return the channel, for 90 seconds alone; None where it is off, held, or somebody else's now.

        Only who is ``patient`` gets one that was slow in the last hour.
        """
        rows = await self.database.execute(_LEASE, [channel_id, patient])
        return Channel.of_row(rows[0]) if rows else None

    async def release(self, channel_id: str, hold_seconds: float, *, slow: bool) -> None:
        """Give the channel back, and let nothing be sent to it for ``hold_seconds``."""
        await self.database.execute(_RELEASE, [hold_seconds, slow, channel_id])

    async def take(self, channel_id: str) -> Parcel | None:
        """Return what is to be sent next; None where nothing is due, or the throttle holds it back."""
        rows = await self.database.execute(_TAKE, [channel_id, channel_id])
        if not rows:
            return None
        rows.sort(key=lambda row: (str(row["created_at"]), str(row["id"])))
        return Parcel(
            message_id=str(rows[0]["message_id"]),
            attempts=cast(int, rows[0]["attempts"]),
            digest=bool(rows[0]["digest"]),
            template=Template.of(cast("JsonObject | None", rows[0]["template"])),
            notices=[Notice.from_dict(cast(JsonObject, row["notice"])) for row in rows],
        )

    async def sent(self, channel_id: str, parcel: Parcel) -> None:
        """Note that it was taken; its contents are forgotten."""
        await self.database.execute(_SENT, [channel_id, parcel.message_id])

    async def failed(self, channel_id: str, parcel: Parcel, error: str, retry_seconds: float | None) -> None:
        """Note that it was not, and when it is tried again; None: never."""
        over = retry_seconds is None
        values = [error, retry_seconds, over, over, over, channel_id, parcel.message_id]
        await self.database.execute(_FAILED, values)

    async def switch_off(self, channel_id: str, reason: str) -> None:
        """Switch the channel off; what waits for it has failed."""
        await self.database.execute(_SWITCH_OFF, [reason, channel_id, reason])

    async def forget(self, days: int) -> None:
        """Delete what is ``days`` old; of that, only what a channel that is off has kept still waits."""
        await self.database.execute(_FORGET, [days])
