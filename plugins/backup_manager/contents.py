"""What is in a backup: its parts and its manifest, in format 1."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final, cast

from plugin_kit.json_types import JsonObject, JsonValue, dumps

from .faults import Damaged

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: ``rows`` JSON lines of memories or of versions, ``bytes`` long, and the file that they are sealed in.

    Both hashes are SHA-256 in hex.
    """

    number: int
    kind: str
    rows: int
    bytes: int
    sha256: str
    name: str
    stored_bytes: int
    stored_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup as a whole. Times are ISO 8601; ``project`` is None where all memories of the user are in it."""

    backup: str
    user_id: str
    project: str | None
    origin: str
    requested_at: str
    taken_at: str
    memories: int
    versions: int
    models: tuple[str, ...]
    parts: tuple[Part, ...]

    def to_json(self) -> JsonObject:
        """Return it as a JSON object."""
        return {"format": FORMAT, **asdict(self)}

    def to_bytes(self) -> bytes:
        """Return it as it is sealed."""
        return dumps(self.to_json()).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Return the manifest that ``to_bytes`` wrote.

        Raises:
            Damaged: it is of a format that this version does not know, or contradicts itself.
        """
        values = dict(cast(JsonObject, json.loads(data)))
        found = values.pop("format", None)
        if found != FORMAT:
            raise Damaged(f"the backup has the format {found}, and this version knows {FORMAT}: update backup_manager")
        parts = [_part(part) for part in cast("Sequence[Mapping[str, JsonValue]]", values.pop("parts"))]
        models = cast("Sequence[str]", values.pop("models"))
        manifest = cls(parts=tuple(parts), models=tuple(models), **values)  # pyright: ignore[reportArgumentType]
        manifest.check()
        return manifest

    def check(self) -> None:
        """Compare the counts with the parts.

        Raises:
            Damaged: they differ, or a part is missing in the list.
        """
        if [part.number for part in self.parts] != list(range(len(self.parts))):
            raise Damaged("the manifest does not list all parts: restore another backup")
        for kind, count in (("memory", self.memories), ("version", self.versions)):
            listed = sum(part.rows for part in self.parts if part.kind == kind)
            if listed != count:
                raise Damaged(
                    f"the manifest counts {count} rows of kind {kind} and its parts {listed}: restore another backup"
                )


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hex."""
    return sha256(data).hexdigest()


def manifest_name(backup_id: str, attempt: int) -> str:
    """Return the name of the file into which an attempt to finish a backup writes its manifest."""
    return f"backups/{backup_id}/manifest.{attempt}"


def part_name(backup_id: str, number: int, attempt: int) -> str:
    """Return the name of the file into which an attempt to store a part writes; no two attempts share one."""
    return f"backups/{backup_id}/{number:05}.{attempt}"


def manifest_context(backup_id: str, user_id: str) -> dict[str, str]:
    """Return what the manifest is bound to: as the manifest of another backup, or of another user, it does not open."""
    return {"purpose": "manifest", "backup": backup_id, "user": user_id}


def part_context(backup_id: str, user_id: str, number: int) -> dict[str, str]:
    """Return what a part is bound to: in the place of another it does not open."""
    return {"purpose": "part", "backup": backup_id, "user": user_id, "part": str(number)}


def _part(values: Mapping[str, JsonValue]) -> Part:
    return Part(**values)  # pyright: ignore[reportArgumentType]  # authenticated: it is what to_bytes wrote
