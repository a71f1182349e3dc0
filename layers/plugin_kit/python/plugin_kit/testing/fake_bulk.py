"""What the server does for ``snapshot`` and ``load``, on the memories and files of fakes."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from plugin_kit.context import Conflict
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.models import Memory
from plugin_kit.testing.fake_files import FakeFiles

MODEL: Final = "fake-model"
_DIMENSIONS: Final = 384


async def write_parts(
    files: FakeFiles,
    transfer: str,
    memories: Iterable[Memory],
    versions: Sequence[JsonObject],
    *,
    where: JsonObject,
    embeddings: bool,
) -> dict[str, JsonValue]:
    """Write the memories that fit ``where`` and the versions, each a part at most, and return the manifest."""
    chosen = [memory for memory in memories if _fits(memory, where)]
    extra = {"embedding_model": MODEL, "embedding": _embedding()} if embeddings else {}
    lines: list[JsonObject] = [{**memory.to_dict(), "deduplicate": True, **extra} for memory in chosen]
    kinds: tuple[tuple[str, Sequence[JsonObject]], ...] = (("memory", lines), ("version", versions))
    parts: list[JsonValue] = []
    whole = hashlib.sha256()
    for kind, rows in kinds:
        if rows:
            name = f"transfers/{transfer}/{len(parts):05}.jsonl"
            data = "".join(f"{dumps(row)}\n" for row in rows).encode()
            await files.write(name, data)
            whole.update(data)
            digest = hashlib.sha256(data).hexdigest()
            parts.append({"name": name, "kind": kind, "rows": len(rows), "bytes": len(data), "sha256": digest})
    return {
        "id": transfer,
        "taken_at": "2026-11-22T12:00:00+00:00",
        "memories": len(lines),
        "versions": len(versions),
        "models": [MODEL] if embeddings else [],
        "parts": parts,
        "sha256": whole.hexdigest(),
        "error": None,
    }


async def load_parts(
    files: FakeFiles,
    parts: Sequence[str],
    memories: dict[str, Memory],
    versions: list[JsonObject],
    *,
    conflict: Conflict,
    project: str | None,
) -> dict[str, JsonValue]:
    """Put the lines of ``parts`` into ``memories`` and ``versions``, and return what was done."""
    counts: Counts = {"created": 0, "updated": 0, "skipped": 0, "unchanged": 0, "versions": 0}
    for part in parts:
        for number, text in enumerate((await files.read(part)).rstrip(b"\n").split(b"\n"), start=1):
            try:
                line = cast(JsonObject, json.loads(text))
                if "replaced_by" in line:
                    versions.append(line)
                    counts["versions"] += 1
                else:
                    counts[_put(line, memories, conflict, project)] += 1
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                fault = {"message": f"part {part}, line {number}: {error!r}", "part": part, "line": number}
                return {**dict.fromkeys(counts, 0), "error": fault}
    return {**counts, "error": None}


Counts = dict[str, int]


def _put(line: JsonObject, memories: dict[str, Memory], conflict: Conflict, project: str | None) -> str:
    """Put the memory of ``line`` into ``memories`` and return what it counts as."""
    memory = Memory.from_dict({"id": f"loaded-{len(memories) + 1}", **line})
    memory = memory if project is None else replace(memory, project=project)
    same = next((other for other in memories.values() if _same(memory, other)), None)
    if same is None:
        memories[memory.id] = memory
        return "created"
    if conflict == "duplicate":
        new_id = f"loaded-{len(memories) + 1}"
        memories[new_id] = replace(memory, id=new_id)
        return "created"
    if conflict == "skip":
        return "skipped"
    if replace(memory, id=same.id) == same:
        return "unchanged"
    memories[same.id] = replace(memory, id=same.id)
    return "updated"


def _same(one: Memory, other: Memory) -> bool:
    return one.id == other.id or (one.content, one.project) == (other.content, other.project)


def _fits(memory: Memory, where: Mapping[str, JsonValue]) -> bool:
    """Return whether the memory fits the filter, as far as it names project, session, types and tags."""
    tags = set(memory.tags)
    return (
        where.get("project") in (None, memory.project)
        and where.get("session_id") in (None, memory.session_id)
        and memory.memory_type in cast("Sequence[str]", where.get("memory_types") or [memory.memory_type])
        and (not where.get("tags_any") or bool(tags & set(cast("Sequence[str]", where["tags_any"]))))
        and tags >= set(cast("Sequence[str]", where.get("tags_all") or ()))
        and memory.importance >= cast(float, where.get("min_importance") or 0)
    )


def _embedding() -> str:
    """Return a vector of unit length as PostgreSQL sends a halfvec."""
    return base64.b64encode(struct.pack(f">hh{_DIMENSIONS}e", _DIMENSIONS, 0, 1.0, *[0.0] * (_DIMENSIONS - 1))).decode()
