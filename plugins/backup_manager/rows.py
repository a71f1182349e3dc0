"""The rows of the plugin's tables, as values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from plugin_kit.json_types import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row whose columns are the fields."""

    @classmethod
    def of(cls, row: JsonObject) -> Self:
        """Return the row that the database answered as ``row``."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRow(_Row):
    """A backup of one user. Times are ISO 8601; ``tries`` counts what failed since the last step that went well."""

    id: str
    user_id: str
    project: str | None
    origin: str
    state: str
    requested_at: str
    taken_at: str | None
    completed_at: str | None
    tries: int
    error: str | None
    memories: int | None
    versions: int | None
    models: list[str] | None
    key_name: str | None
    manifests: int
    manifest_name: str | None
    manifest_sha256: str | None
    verified_at: str | None
    damage: str | None
    tested_at: str | None
    test: JsonObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow(_Row):
    """A part of a backup on its way. ``source`` is the file of the snapshot, ``name`` that in which it is sealed."""

    number: int
    kind: str
    source: str
    rows: int
    bytes: int
    sha256: str
    attempts: int
    name: str | None
    stored_bytes: int | None
    stored_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow(_Row):
    """What is done with a backup: verified, restored or tested. ``position`` of its ``parts`` are checked."""

    id: str
    backup_id: str
    user_id: str
    purpose: str
    dry_run: bool
    conflict: str
    project: str | None
    state: str
    position: int
    parts: int
    requested_at: str
    completed_at: str | None
    tries: int
    error: str | None
    result: JsonObject | None

    @property
    def unpacks(self) -> bool:
        """Whether the parts are unpacked for the server, and not only checked."""
        return self.purpose != "verify"


def columns(row: type[_Row]) -> str:
    """Return the columns of ``row`` as SQL lists them."""
    return ", ".join(field.name for field in fields(row))
