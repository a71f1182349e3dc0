"""An export or an import as a job: what was asked for, which step it is at, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast

from plugin_kit.json_types import JsonObject, JsonValue

Kind: TypeAlias = Literal["export", "import"]
State: TypeAlias = Literal["snapshot", "writing", "joining", "unpacking", "checking", "storing", "done", "failed"]
"""An export goes through snapshot, writing and joining, an import through unpacking, checking and storing."""

ENDED: Final[tuple[State, ...]] = ("done", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job of one user. ``step`` counts within its state; ``files`` are the names of files by what they are for."""

    id: str
    kind: Kind
    state: State
    step: int
    attempts: int
    request: JsonObject
    files: Mapping[str, Sequence[JsonValue]]
    result: JsonObject
    error: JsonObject | None
    created_at: str
    updated_at: str
    expires_at: str

    @property
    def is_running(self) -> bool:
        """False where it is done or has failed."""
        return self.state not in ENDED

    def names(self, purpose: str) -> list[str]:
        """Return the names of the files that are for ``purpose``."""
        return [str(name) for name in self.files.get(purpose, ())]

    @classmethod
    def from_row(cls, row: JsonObject) -> Job:
        """Return the job of a row of the table."""
        return cls(
            id=str(row["id"]),
            kind=cast(Kind, row["kind"]),
            state=cast(State, row["state"]),
            step=cast(int, row["step"]),
            attempts=cast(int, row["attempts"]),
            request=cast(JsonObject, row["request"]),
            files=cast("Mapping[str, Sequence[JsonValue]]", row["files"]),
            result=cast(JsonObject, row["result"]),
            error=cast("JsonObject | None", row["error"]),
            created_at=str(row["created_at"]),
            updated_at=str(row["updated_at"]),
            expires_at=str(row["expires_at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a step leads to. ``files`` and ``result`` are added to the job's; files of ``used`` may go then."""

    state: State
    step: int = 0
    files: Mapping[str, Sequence[JsonValue]] = field(default_factory=dict[str, Sequence[JsonValue]])
    result: JsonObject = field(default_factory=dict[str, JsonValue])
    used: Sequence[str] = ()


class JobFailed(Exception):
    """The job cannot be done, however often it is tried; ``error`` tells the client why and what to do."""

    def __init__(self, message: str, **details: JsonValue) -> None:
        self.error: JsonObject = {"message": message, **details}
        super().__init__(message)
