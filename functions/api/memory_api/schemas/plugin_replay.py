"""Replays in requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from memory_api.schemas.fields import Flag, Time, fault
from memory_api.schemas.memories import Body
from memory_server.services.delivery_ports import Replay


class ReplayRequest(Body):
    """Which events a plugin gets again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"source": "dead_letters"},
                {"source": "archive", "since": "2026-11-22T00:00:00Z", "until": "2026-11-23T00:00:00Z"},
            ]
        }
    )

    source: Literal["dead_letters", "archive"] = Field(
        description="Its dead-letter queue, or the events of change of the last days whose hooks it has."
    )
    since: Time | None = Field(None, description="Of the archive: what happened then or later. To the millisecond.")
    until: Time | None = Field(None, description="Of the archive: what happened before then.")
    force: Flag = Field(False, description="Of the archive: what it has handled, it handles again.")

    @model_validator(mode="after")
    def _a_range_of_the_archive(self) -> Self:
        if self.source == "dead_letters" and (self.since or self.until or self.force):
            raise fault("must have since, until and force with the source archive alone")
        if self.source == "archive" and (self.since is None or self.until is None):
            raise fault("must have since and until with the source archive")
        if self.since and self.until and self.until <= self.since:
            raise fault("must have an until that is later than since")
        return self


class ReplayOut(BaseModel):
    """A replay, and how far it is."""

    replay_id: str
    source: Literal["dead_letters", "archive"]
    started_at: datetime
    since: datetime | None
    until: datetime | None
    force: bool
    done: bool
    replayed: int = Field(description="How many events are on their way to the plugin, or were.")

    @classmethod
    def of(cls, replay: Replay) -> ReplayOut:
        """Return the answer that shows ``replay``."""
        return cls.model_validate(replay, from_attributes=True)


class AcceptedReplay(ReplayOut):
    """A replay that has begun."""

    events: int | None = Field(description="About how many there are; null for the archive, which is not counted.")

    @classmethod
    def accepted(cls, replay: Replay, events: int | None) -> AcceptedReplay:
        """Return the answer that shows ``replay``."""
        return cls(**ReplayOut.of(replay).model_dump(), events=events)
