"""Channels in the plugin's schema. All is by user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plugin_kit.context import DatabaseService

from .channels import Channel
from .errors import InvalidSettings, NotFound

_MAX_CHANNELS: Final = 50

_COLUMNS: Final = (
    "id::text, user_id, name, kind, target, sealed, throttle_messages, throttle_seconds, enabled, disabled_reason, "
    "created_at::text"
)
_INSERT: Final = f"""
INSERT INTO channels (id, user_id, name, kind, target, sealed, throttle_messages, throttle_seconds)
SELECT %s::uuid, %s, %s, %s, %s, %s, %s, %s
WHERE (SELECT count(*) FROM channels WHERE user_id = %s) < {_MAX_CHANNELS}
ON CONFLICT (user_id, name) DO NOTHING RETURNING {_COLUMNS}
"""  # noqa: S608  # of constants
_LIST: Final = f"SELECT {_COLUMNS} FROM channels WHERE user_id = %s ORDER BY created_at, id"  # noqa: S608
_GET: Final = f"SELECT {_COLUMNS} FROM channels WHERE user_id = %s AND id::text = %s"  # noqa: S608
_UPDATE: Final = f"""
UPDATE channels SET name = %s, target = %s, sealed = %s, throttle_messages = %s, throttle_seconds = %s, enabled = %s,
    disabled_reason = %s, held_until = '-infinity'
WHERE user_id = %s AND id::text = %s
    AND NOT EXISTS (SELECT FROM channels other WHERE other.user_id = %s AND other.name = %s AND other.id::text <> %s)
RETURNING {_COLUMNS}
"""  # noqa: S608
_DELETE: Final = "DELETE FROM channels WHERE user_id = %s AND id::text = %s RETURNING id::text"


@dataclass(frozen=True, slots=True)
class ChannelStore:
    """The channels of one user."""

    database: DatabaseService
    user_id: str

    async def add(self, channel: Channel) -> Channel:
        """Store a new channel and return it.

        Raises:
            InvalidSettings: the user has one of this name, or 50 channels.
        """
        throttle = channel.throttle
        values = [channel.id, self.user_id, channel.name, channel.kind, channel.target, channel.sealed]
        rows = await self.database.execute(_INSERT, [*values, throttle.messages, throttle.seconds, self.user_id])
        if not rows:
            raise InvalidSettings(
                f"name: you have a channel {channel.name!r} or {_MAX_CHANNELS} channels already: take another name, or "
                "delete one"
            )
        return Channel.of_row(rows[0])

    async def all(self) -> list[Channel]:
        return [Channel.of_row(row) for row in await self.database.query(_LIST, [self.user_id])]

    async def get(self, channel_id: str) -> Channel:
        rows = await self.database.query(_GET, [self.user_id, channel_id])
        if not rows:
            raise NotFound(f"you have no channel {channel_id}: GET /channels lists yours")
        return Channel.of_row(rows[0])

    async def replace(self, channel: Channel) -> Channel:
        """Store ``channel`` in the place of the one with its id; what waits for it is sent at once again.

        Raises:
            InvalidSettings: the user has another one of this name.
        """
        throttle = channel.throttle
        values = [channel.name, channel.target, channel.sealed, throttle.messages, throttle.seconds]
        state = [channel.enabled, channel.disabled_reason]
        where = [self.user_id, channel.id, self.user_id, channel.name, channel.id]
        rows = await self.database.execute(_UPDATE, [*values, *state, *where])
        if not rows:
            raise InvalidSettings(f"name: you have another channel {channel.name!r}: take another name")
        return Channel.of_row(rows[0])

    async def delete(self, channel_id: str) -> None:
        """Delete the channel, its rules and its log."""
        if not await self.database.execute(_DELETE, [self.user_id, channel_id]):
            raise NotFound(f"you have no channel {channel_id}: GET /channels lists yours")
