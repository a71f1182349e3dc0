"""Rules in the plugin's schema. All is by user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from plugin_kit.context import DatabaseService
from plugin_kit.json_types import JsonObject, dumps

from .errors import InvalidSettings, NotFound

_MAX_RULES: Final = 100

_COLUMNS: Final = "id::text, channel_id::text, settings, created_at::text"
_INSERT: Final = f"""
INSERT INTO rules (user_id, channel_id, settings)
SELECT user_id, id, %s::jsonb FROM channels
WHERE user_id = %s AND id::text = %s AND (SELECT count(*) FROM rules WHERE user_id = %s) < {_MAX_RULES}
RETURNING {_COLUMNS}
"""  # noqa: S608  # of constants
_LIST: Final = f"SELECT {_COLUMNS} FROM rules WHERE user_id = %s ORDER BY created_at, id"  # noqa: S608
_GET: Final = f"SELECT {_COLUMNS} FROM rules WHERE user_id = %s AND id::text = %s"  # noqa: S608
_UPDATE: Final = f"""
UPDATE rules SET settings = %s::jsonb WHERE user_id = %s AND id::text = %s RETURNING {_COLUMNS}
"""  # noqa: S608
_DELETE: Final = """
WITH deleted AS (DELETE FROM rules WHERE user_id = %s AND id::text = %s RETURNING id),
    dropped AS (DELETE FROM notifications USING deleted WHERE rule_id = deleted.id AND state = 'waiting')
SELECT id::text FROM deleted
"""
_FOR_HOOK: Final = """
SELECT rules.id::text, channel_id::text, settings
FROM rules JOIN channels ON channels.id = channel_id
WHERE rules.user_id = %s AND channels.enabled AND jsonb_exists(settings->'hooks', %s)
ORDER BY rules.created_at, rules.id
"""


@dataclass(frozen=True, slots=True)
class RuleStore:
    """The rules of one user, each as the JSON object that endpoints take and answer."""

    database: DatabaseService
    user_id: str

    async def add(self, channel_id: str, settings: JsonObject) -> JsonObject:
        """Store a new rule and return it.

        Raises:
            InvalidSettings: the user has no such channel, or 100 rules.
        """
        rows = await self.database.execute(_INSERT, [dumps(settings), self.user_id, channel_id, self.user_id])
        if not rows:
            raise InvalidSettings(
                f"channel_id: you have no channel {channel_id}, or {_MAX_RULES} rules already: GET /channels lists the "
                "channels"
            )
        return _shown(rows[0])

    async def all(self) -> list[JsonObject]:
        return [_shown(row) for row in await self.database.query(_LIST, [self.user_id])]

    async def get(self, rule_id: str) -> JsonObject:
        return self._one(await self.database.query(_GET, [self.user_id, rule_id]), rule_id)

    async def replace(self, rule_id: str, settings: JsonObject) -> JsonObject:
        """Store ``settings`` as those of the rule. What waits already is sent as it was."""
        rows = await self.database.execute(_UPDATE, [dumps(settings), self.user_id, rule_id])
        return self._one(rows, rule_id)

    async def delete(self, rule_id: str) -> None:
        """Delete the rule, and with it what waits because of it."""
        self._one(await self.database.execute(_DELETE, [self.user_id, rule_id]), rule_id, shown=False)

    async def for_hook(self, hook: str) -> list[JsonObject]:
        """Return id, channel_id and settings of the rules about ``hook`` whose channel is on."""
        return await self.database.query(_FOR_HOOK, [self.user_id, hook])

    @staticmethod
    def _one(rows: list[JsonObject], rule_id: str, *, shown: bool = True) -> JsonObject:
        if not rows:
            raise NotFound(f"you have no rule {rule_id}: GET /rules lists yours")
        return _shown(rows[0]) if shown else rows[0]


def _shown(row: JsonObject) -> JsonObject:
    return {
        "id": row["id"],
        "channel_id": row["channel_id"],
        **cast(JsonObject, row["settings"]),
        "created_at": row["created_at"],
    }
