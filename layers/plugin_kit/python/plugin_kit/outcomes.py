"""What became of one delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, cast

from plugin_kit.json_types import JsonObject, JsonValue, dumps

Result: TypeAlias = Literal["delivered", "failed", "dropped"]
_MAX_HEALTH_BYTES: Final = 1024
DIED: Final = "the process ended during the hook (it exited, ran out of memory, or was out of time)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt to deliver an event (the ``attempt``-th, from 1) and its result.

    ``milliseconds`` is how long the hook ran, where it ran to an end; ``health`` is what a health_check returned, as
    JSON text. ``since`` is when what led to the event of ``user_id`` happened: an error may tell what is the user's.
    """

    event_id: str
    hook: str
    result: Result
    attempt: int
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    milliseconds: int | None = None
    error: str | None = None
    health: str | None = None
    user_id: str | None = None
    since: datetime | None = None

    @property
    def delivery_id(self) -> str:
        """The id of the attempt: ids sort by time."""
        return f"{self.at.isoformat(timespec='milliseconds')}#{self.event_id}#{self.attempt}"

    def to_dict(self) -> dict[str, JsonValue]:
        """Return what is remembered of a delivery beside its event's id."""
        return {
            "hook": self.hook,
            "at": self.at.isoformat(),
            "milliseconds": self.milliseconds,
            "attempt": self.attempt,
            "health": self.health,
        }

    @classmethod
    def delivered_before(cls, event_id: str, remembered: JsonObject) -> Outcome:
        """Return the outcome of a delivery that ``to_dict`` wrote as ``remembered``."""
        values = cast("Mapping[str, str]", remembered)
        return cls(
            event_id=event_id,
            hook=values["hook"],
            result="delivered",
            attempt=int(values["attempt"]),
            at=datetime.fromisoformat(values["at"]),
            milliseconds=cast("int | None", remembered["milliseconds"]),
            health=cast("str | None", remembered["health"]),
        )


def health_text(returned: object) -> str:
    """Return what a health_check answered, as JSON text that the statistics have room for."""
    try:
        text = dumps(returned)
    except (RecursionError, TypeError, ValueError):
        text = ""
    if not text or len(text.encode()) > _MAX_HEALTH_BYTES:
        return dumps({"fault": f"health_check returned what is not JSON of at most {_MAX_HEALTH_BYTES} bytes"})
    return text
