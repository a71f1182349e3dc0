"""The plugin's config: its JSON Schema, and what an operator set, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue

from .keys import Keys
from .retention import Policy


def _count(default: int, description: str) -> JsonObject:
    return {"type": "integer", "minimum": 0, "maximum": 1000, "default": default, "description": description}


SCHEMA: Final[dict[str, JsonValue]] = {
    "type": "object",
    "properties": {
        "automatic": {
            "type": "boolean",
            "default": True,
            "description": "Whether the schedule makes backups of every user's memories.",
        },
        "keep_hourly": _count(0, "For so many hours the newest backup of the schedule is kept."),
        "keep_daily": _count(7, "For so many days."),
        "keep_weekly": _count(5, "For so many weeks, which begin on Monday."),
        "keep_monthly": _count(12, "For so many months."),
        "compression_level": {
            "type": "integer",
            "minimum": 1,
            "maximum": 19,
            "default": 3,
            "description": "Of zstd: higher is smaller and slower.",
        },
        "kms_key_id": {
            "type": "string",
            "pattern": "^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$",
            "default": "",
            "description": "The ARN of a key of AWS KMS. Without one, the secret encryption_key is the key.",
        },
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What holds for this call."""

    automatic: bool
    policy: Policy
    compression_level: int
    keys: Keys

    @classmethod
    def of(cls, context: Context) -> Configuration:
        """Return what ``context`` says."""
        values = cast(JsonObject, context["server_config"]["config"])
        secrets = cast("Mapping[str, str]", context["server_config"]["secrets"])
        properties = cast("Mapping[str, Mapping[str, JsonValue]]", SCHEMA["properties"])
        number = {name: cast(int, values.get(name, properties[name]["default"])) for name in properties}
        return cls(
            automatic=bool(number["automatic"]),
            policy=Policy(
                hourly=number["keep_hourly"],
                daily=number["keep_daily"],
                weekly=number["keep_weekly"],
                monthly=number["keep_monthly"],
            ),
            compression_level=number["compression_level"],
            keys=Keys(str(number["kms_key_id"]), secrets),
        )
