"""Channels: where notifications go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, cast

from plugin_kit.json_types import JsonObject

from .errors import InvalidSettings
from .senders import apprise_urls, mail, slack, webhook

Kind: TypeAlias = Literal["email", "webhook", "slack", "apprise"]

_TARGETS: Final[Mapping[Kind, Callable[[JsonObject], str]]] = MappingProxyType(
    {"email": mail.target, "webhook": webhook.target, "slack": slack.target, "apprise": apprise_urls.target}
)
KINDS: Final = tuple(_TARGETS)


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most ``messages`` in any ``seconds``; what is over waits."""

    messages: int = 30
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a user. Its settings are sealed; ``target`` says where it leads, with no secret."""

    id: str
    user_id: str
    name: str
    kind: Kind
    target: str
    sealed: str
    throttle: Throttle
    enabled: bool
    disabled_reason: str | None
    created_at: str

    @classmethod
    def of_row(cls, row: JsonObject) -> Channel:
        """Return the channel of a row of the table channels."""
        return cls(
            id=str(row["id"]),
            user_id=str(row["user_id"]),
            name=str(row["name"]),
            kind=cast(Kind, row["kind"]),
            target=str(row["target"]),
            sealed=str(row["sealed"]),
            throttle=Throttle(cast(int, row["throttle_messages"]), cast(int, row["throttle_seconds"])),
            enabled=bool(row["enabled"]),
            disabled_reason=cast("str | None", row["disabled_reason"]),
            created_at=str(row["created_at"]),
        )

    def to_dict(self) -> JsonObject:
        """Return what endpoints answer: no settings."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "target": self.target,
            "throttle": {"messages": self.throttle.messages, "seconds": self.throttle.seconds},
            "enabled": self.enabled,
            "disabled_reason": self.disabled_reason,
            "created_at": self.created_at,
        }


def target_of(kind: Kind, settings: JsonObject) -> str:
    """Check the ``settings`` of a channel of ``kind`` and return where they lead, without any secret.

    Raises:
        InvalidSettings: a setting is missing or wrong; the message names it.
    """
    return _TARGETS[kind](settings)


def throttle_of(value: JsonObject | None) -> Throttle:
    """Return the throttle of a request's body, the default where it has none."""
    return Throttle() if value is None else Throttle(**cast("dict[str, int]", dict(value)))


def name_of(text: str) -> str:
    """Return the name without space around it.

    Raises:
        InvalidSettings: nothing is left, or it has control characters.
    """
    name = text.strip()
    if not name or re.search(r"[\x00-\x1f\x7f]", name):
        raise InvalidSettings("name: write 1 to 100 characters in one line")
    return name
