"""The messages of a plugin's queue: an event of the bus, the call of a schedule, or a task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, cast

from plugin_kit.aws import Aws
from plugin_kit.envelope import Event, decode
from plugin_kit.erasures import Erasures
from plugin_kit.errors import EnvelopeError, UserErased
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.outcomes import Outcome, Result

Kind: TypeAlias = Literal["hook", "schedule", "task"]

# What is no event of the bus names what it calls under its kind.
_CALLS: Final[tuple[Kind, ...]] = ("schedule", "task")


@dataclass(frozen=True, slots=True)
class Message:
    """What a message asks for: the hook of ``event``, or the schedule or task that it names as its hook."""

    event: Event
    kind: Kind = "hook"

    @property
    def key(self) -> str:
        """What deliveries of the same are known by: one that is replayed by force is another."""
        replay = self.event.metadata.get("replay")
        return self.event.id if replay is None else f"{self.event.id}#{replay}"

    def outcome(
        self,
        result: Result,
        *,
        attempt: int,
        at: datetime | None = None,
        milliseconds: int | None = None,
        error: str | None = None,
        health: str | None = None,
    ) -> Outcome:
        """Return an outcome of this message, now or ``at`` a time."""
        return Outcome(
            event_id=self.event.id,
            hook=self.event.hook,
            result=result,
            attempt=attempt,
            at=at or datetime.now(UTC),
            milliseconds=milliseconds,
            error=error,
            health=health,
            user_id=self.event.user_id,
            since=self.event.since,
        )


class MessageReader:
    """Reads messages, and from the bucket the arguments that did not fit them."""

    def __init__(self, aws: Aws, bucket: str, erasures: Erasures) -> None:
        self._aws = aws
        self._bucket = bucket
        self._erasures = erasures

    def read(self, body: str) -> Message:
        """Return the message of ``body``.

        Raises:
            EnvelopeError: the body is neither an event of this version nor the call of a schedule or task.
            MessageOfErased: its user was erased since; what it refers to was not asked for.
        """
        content = _parsed(body)
        kind = _call_kind(content)
        self._require_present(kind, content)
        if kind is not None:
            arguments = self._referred(content.get("arguments_ref"))
            return Message(_call_of(kind, content if arguments is None else {**content, "arguments": arguments}), kind)
        if not isinstance(content.get("detail"), Mapping):
            raise EnvelopeError("the message is not an event of the bus: it has no detail")
        return Message(self.event(cast(JsonObject, content["detail"])))

    def event(self, detail: JsonObject) -> Event:
        """Return the event of ``detail``, with its arguments wherever they are."""
        args = self._referred(detail.get("args_ref"))
        return decode(detail if args is None else {**detail, "args": args})

    def _require_present(self, kind: Kind | None, content: JsonObject) -> None:
        try:
            head = _head(kind, content if kind else cast(JsonObject, content["detail"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            return  # who reads all of it says what is wrong
        if self._erasures.gone(head.user_id, head.since):
            raise MessageOfErased(Message(head, kind or "hook"))

    def _referred(self, reference: JsonValue) -> JsonValue:
        """Return what is kept in the bucket, None where there is no ``reference`` to anything."""
        if reference is None:
            return None
        key = cast("Mapping[str, str]", reference)["key"]
        return cast(JsonValue, json.loads(self._aws.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()))


class MessageOfErased(UserErased):
    """A ``message`` of a user who was erased since, without its arguments."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__("the user was erased after what led to this")


def key_of(body: str) -> str | None:
    """Return the key of the message of ``body`` without reading all of it, None where it has none."""
    try:
        content = _parsed(body)
        detail = cast(JsonObject, content if _call_kind(content) else content["detail"])
        metadata = cast(JsonObject, detail.get("metadata") or {})
        event = Event(id=str(detail["id"]), hook="", time=datetime.min, args={}, metadata=metadata)  # noqa: DTZ901  # unused
        return Message(event).key
    except (AttributeError, KeyError, TypeError, EnvelopeError):
        return None


def _parsed(body: str) -> JsonObject:
    try:
        content: object = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise EnvelopeError("the message is not an event of the bus: it is no JSON object")
    return cast(JsonObject, content)


def _call_kind(content: JsonObject) -> Kind | None:
    return next((kind for kind in _CALLS if kind in content), None)


def _head(kind: Kind | None, values: JsonObject) -> Event:
    """Return the event of a message, as far as its arguments are not needed."""
    return Event(
        id=str(values["id"]),
        hook=str(values[kind or "hook"]),
        time=datetime.fromisoformat(str(values["time"])),
        args={},
        user_id=cast("str | None", values.get("user_id")),
        metadata=cast(JsonObject, values.get("metadata") or {}),
        grant=cast("str | None", values.get("grant")),
        sequenced=bool(values.get("sequenced")),
        caused_at=datetime.fromisoformat(str(values["since"])) if "since" in values else None,
    )


def _call_of(kind: Kind, content: JsonObject) -> Event:
    try:
        return replace(_head(kind, content), args={"arguments": content["arguments"]} if kind == "task" else {})
    except (KeyError, ValueError) as error:
        raise EnvelopeError(f"the call of a {kind} is malformed: {error!r}") from error
