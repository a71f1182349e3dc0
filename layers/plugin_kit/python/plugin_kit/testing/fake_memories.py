"""A fake of the service of memories: what it did can be looked up afterwards."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Unpack, cast

from plugin_kit.context import Conflict, DraftFields, PatchFields
from plugin_kit.errors import AnswerTooLarge, ServiceFailed
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, SearchResult
from plugin_kit.testing.fake_bulk import load_parts, write_parts
from plugin_kit.testing.fake_counts import COUNTED, MAX_GROUPS, key_of
from plugin_kit.testing.fake_files import FakeFiles


class StartedTask(NamedTuple):
    """A task that a plugin started; a test calls it with ``fire_task``."""

    task: str
    arguments: JsonObject
    delay_seconds: int = 0


class FakeMemoryService:
    """Memories in a dict. A search finds those that hold the query's text, in the order of creation.

    ``started`` are the tasks in the order in which they were started, those after a snapshot and a load among them.
    ``users`` are those for whom ``for_every_user`` starts one each. ``make_context`` lets ``files`` be those of its
    database service.
    """

    def __init__(self, memories: Sequence[Memory] = (), *, users: Sequence[str] = ("local",)) -> None:
        self.memories = {memory.id: memory for memory in memories}
        self.deleted: builtins.list[Memory] = []
        self.versions: builtins.list[JsonObject] = []
        self.users = users
        self.started: builtins.list[StartedTask] = []
        self.files = FakeFiles()
        self._loaded: dict[str, JsonObject] = {}

    async def get(self, memory_id: str) -> Memory:
        try:
            return self.memories[memory_id]
        except KeyError:
            raise ServiceFailed(f"there is no memory {memory_id}") from None

    async def search(self, query: str, limit: int = 10) -> list[SearchResult]:
        found = [memory for memory in self.memories.values() if query.lower() in memory.content.lower()]
        return [SearchResult(memory=memory, score=1.0) for memory in found[:limit]]

    async def create(self, content: str, **fields: Unpack[DraftFields]) -> Memory:
        values = cast("dict[str, Any]", {**fields, "tags": tuple(fields.get("tags", ()))})
        values.pop("allow_duplicate", None)
        memory = Memory(id=f"memory-{len(self.memories) + len(self.deleted) + 1}", content=content, **values)
        self.memories[memory.id] = memory
        return memory

    async def update(self, memory_id: str, **fields: Unpack[PatchFields]) -> Memory:
        before = await self.get(memory_id)
        values = cast("dict[str, Any]", {**fields, "tags": tuple(fields.get("tags", before.tags))})
        self._keep(before, "update")
        self.memories[memory_id] = replace(before, version=before.version + 1, **values)
        return self.memories[memory_id]

    async def delete(self, memory_id: str) -> None:
        memory = await self.get(memory_id)
        self._keep(memory, "delete")
        self.deleted.append(memory)
        del self.memories[memory_id]

    async def count(
        self,
        by: Sequence[str] = (),
        *,
        project: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        deleted: bool = False,
    ) -> builtins.list[JsonObject]:
        unknown = [name for name in by if name not in COUNTED]
        if unknown:
            raise ServiceFailed(f"by: {unknown[0]!r} is none of {', '.join(COUNTED)}")
        counted = self.deleted if deleted else list(self.memories.values())
        if "born" in by:
            counted = [*counted, *self.deleted]
        wanted = [memory for memory in counted if project in (None, memory.project) and _within(memory, since, until)]
        groups = Counter(tuple(key_of(memory, name) for name in by) for memory in wanted)
        if not by:
            return [{"count": len(wanted)}]
        if len(groups) > MAX_GROUPS:
            raise AnswerTooLarge(f"by: gives over {MAX_GROUPS:,} rows: narrow it with project, since or until")
        return [{**dict(zip(by, keys, strict=True)), "count": number} for keys, number in groups.items()]

    async def list(self, project: str | None = None, limit: int = 100, *, after: Memory | None = None) -> list[Memory]:
        newest_first = [memory for memory in reversed(self.memories.values()) if project in (None, memory.project)]
        ids = [memory.id for memory in newest_first]
        begin = 0 if after is None else ids.index(after.id) + 1
        return newest_first[begin : begin + limit]

    async def later(self, task: str, arguments: JsonObject | None = None, *, delay_seconds: int = 0) -> None:
        self.started.append(StartedTask(task, arguments or {}, delay_seconds))

    async def for_every_user(self, task: str, arguments: JsonObject | None = None) -> int:
        self.started += [StartedTask(task, arguments or {}) for _ in self.users]
        return len(self.users)

    async def snapshot(
        self,
        then: str,
        arguments: JsonObject | None = None,
        *,
        where: JsonObject | None = None,
        history: bool = False,
        embeddings: bool = False,
    ) -> str:
        transfer = f"transfer-{len(self.started) + 1}"
        manifest = await write_parts(
            self.files,
            transfer,
            list(self.memories.values()),
            self.versions if history else [],
            where=where or {},
            embeddings=embeddings,
        )
        self.started.append(StartedTask(then, {**(arguments or {}), "snapshot": manifest}))
        return transfer

    async def load(
        self,
        key: str,
        parts: Sequence[str],
        then: str,
        arguments: JsonObject | None = None,
        *,
        conflict: Conflict = "skip",
        project: str | None = None,
        dry_run: bool = False,
    ) -> None:
        outcome = self._loaded.get(key)
        if outcome is None or dry_run:
            memories, versions = dict(self.memories), list(self.versions)
            counts = await load_parts(self.files, parts, memories, versions, conflict=conflict, project=project)
            outcome = {"key": key, "dry_run": dry_run, **counts}
            if not dry_run and counts["error"] is None:
                self.memories, self.versions, self._loaded[key] = memories, versions, outcome
        self.started.append(StartedTask(then, {**(arguments or {}), "load": outcome}))

    def _keep(self, memory: Memory, replaced_by: str) -> None:
        line: dict[str, JsonValue] = {**memory.to_dict(), "replaced_at": "2026-11-22T12:00:00+00:00"}
        self.versions.append({**line, "replaced_by": replaced_by})


def _within(memory: Memory, since: datetime | None, until: datetime | None) -> bool:
    if memory.created_at is None:
        return since is None and until is None
    return (since is None or memory.created_at >= since) and (until is None or memory.created_at < until)
