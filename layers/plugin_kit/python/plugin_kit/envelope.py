"""An event, and its form on the wire: the ``detail`` of an EventBridge event, versioned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias, cast

from plugin_kit.errors import EnvelopeError
from plugin_kit.hooks import CATALOGUE, ArgumentType
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, SearchResult

SOURCE: Final = "memory.server"
VERSION: Final = 1

Argument: TypeAlias = "Memory | list[SearchResult] | JsonValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, once: ``id`` (UUIDv7) names it wherever it is delivered.

    ``args`` are the hook's arguments by name. ``plugins`` are the ids that it is delivered to. ``grant`` is the token
    with which those plugins may act for ``user_id``; the server makes and checks it. Plugins of lower priority wait for
    the outcome of a ``sequenced`` event. ``caused_at`` is when what led to it happened, where that is not
    ``time``: a task may be started long after.
    """

    id: str
    hook: str
    time: datetime
    args: Mapping[str, Argument]
    user_id: str | None = None
    session_id: str | None = None
    project: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, JsonValue])
    plugins: tuple[str, ...] = ()
    grant: str | None = None
    sequenced: bool = False
    caused_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """When what led to the event happened: an erasure of the user after that takes the event along."""
        return self.caused_at or self.time


def encode(event: Event) -> dict[str, JsonValue]:
    """Return the EventBridge ``detail`` of ``event``."""
    return {
        "version": VERSION,
        "id": event.id,
        "hook": event.hook,
        "time": event.time.isoformat(),
        "plugins": list(event.plugins),
        "user_id": event.user_id,
        "session_id": event.session_id,
        "project": event.project,
        "metadata": event.metadata,
        "grant": event.grant,
        **({"sequenced": True} if event.sequenced else {}),
        "args": {name: _encode(value) for name, value in event.args.items()},
    }


def decode(detail: JsonObject) -> Event:
    """Return the event whose ``detail`` this is.

    Raises:
        EnvelopeError: the version or the hook is unknown, or a part is missing.
    """
    if detail.get("version") != VERSION:
        raise EnvelopeError(
            f"event has envelope version {detail.get('version')!r}, this kit reads {VERSION}: deploy the plugin again"
        )
    hook = CATALOGUE.get(str(detail.get("hook")))
    if hook is None:
        raise EnvelopeError(f"event has the unknown hook {detail.get('hook')!r}: deploy the plugin again")
    try:
        args = cast(JsonObject, detail["args"])
        return Event(
            id=str(detail["id"]),
            hook=hook.name,
            time=datetime.fromisoformat(str(detail["time"])),
            args={name: _DECODERS[kind](args[name]) for name, kind in hook.arguments.items()},
            user_id=cast("str | None", detail.get("user_id")),
            session_id=cast("str | None", detail.get("session_id")),
            project=cast("str | None", detail.get("project")),
            metadata=cast(JsonObject, detail.get("metadata") or {}),
            plugins=tuple(cast("list[str]", detail.get("plugins") or ())),
            grant=cast("str | None", detail.get("grant")),
            sequenced=bool(detail.get("sequenced")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EnvelopeError(f"event of hook {hook.name} is malformed: {error!r}") from error


def _encode(value: Argument) -> JsonValue:
    if isinstance(value, Memory):
        return value.to_dict()
    if isinstance(value, list):
        return [item.to_dict() if isinstance(item, SearchResult) else item for item in value]
    return value


def _results(value: JsonValue) -> list[SearchResult]:
    return [SearchResult.from_dict(item) for item in cast("list[JsonObject]", value)]


_DECODERS: Mapping[ArgumentType, Callable[[JsonValue], Argument]] = {
    "Memory": lambda value: Memory.from_dict(cast(JsonObject, value)),
    "list[SearchResult]": _results,
    "str": str,
    "JSON": lambda value: value,
}
