"""What an operator set for the plugin."""

from __future__ import annotations

from typing import cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject


def keeps_text(context: Context) -> bool:
    """Return whether the text of searches is kept, and shown to those who searched."""
    return bool(_config(context)["keep_query_text"])


def retention_days(context: Context) -> int:
    """Return after how many days operations are forgotten."""
    return cast(int, _config(context)["retention_days"])


def _config(context: Context) -> JsonObject:
    return cast(JsonObject, context["server_config"]["config"])
