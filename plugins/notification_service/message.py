"""What is sent: one message of one or more notices, rendered for every medium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plugin_kit.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class Message:
    """A message with a stable ``id``: under it the receiver recognises one that comes again.

    ``title`` and ``text`` are plain text, ``html`` and ``mrkdwn`` the same escaped for their media. ``event_type`` is
    the hook, or ``digest``; ``occurred_at`` is ISO 8601; ``data`` holds the notices as JSON.
    """

    id: str
    title: str
    text: str
    html: str
    mrkdwn: str
    event_type: str
    occurred_at: str
    data: Sequence[JsonObject]
