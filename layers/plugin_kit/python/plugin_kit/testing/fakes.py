"""Fakes of the four services: what they did can be looked up afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Unpack, cast

from plugin_kit.context import DraftFields, PatchFields
from plugin_kit.errors import ServiceFailed
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import Memory, SearchResult


class FakeMemoryService:
    """Memories in a dict. A search finds those that hold the query's text, in the order of creation."""

    def __init__(self, memories: Sequence[Memory] = ()) -> None:
        self.memories = {memory.id: memory for memory in memories}

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
        memory = Memory(id=f"memory-{len(self.memories) + 1}", content=content, **values)
        self.memories[memory.id] = memory
        return memory

    async def update(self, memory_id: str, **fields: Unpack[PatchFields]) -> Memory:
        before = await self.get(memory_id)
        values = cast("dict[str, Any]", {**fields, "tags": tuple(fields.get("tags", before.tags))})
        self.memories[memory_id] = replace(before, version=before.version + 1, **values)
        return self.memories[memory_id]

    async def delete(self, memory_id: str) -> None:
        await self.get(memory_id)
        del self.memories[memory_id]

    async def list(self, project: str | None = None, limit: int = 100) -> list[Memory]:
        newest_first = reversed(self.memories.values())
        return [memory for memory in newest_first if project in (None, memory.project)][:limit]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that a plugin ran."""

    sql: str
    parameters: tuple[JsonValue, ...]


@dataclass(slots=True)
class FakeDatabaseService:
    """Records ``statements`` and answers each with the next of ``answers``, or with no rows when they have run out."""

    answers: list[list[JsonObject]] = field(default_factory=list[list[JsonObject]])
    statements: list[Statement] = field(default_factory=list[Statement])

    async def query(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        return self._answer(sql, parameters)

    async def execute(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        return self._answer(sql, parameters)

    def _answer(self, sql: str, parameters: Sequence[JsonValue]) -> list[JsonObject]:
        self.statements.append(Statement(sql, tuple(parameters)))
        return self.answers.pop(0) if self.answers else []


class FakeEmbeddingService:
    """Vectors of unit length that depend on the text alone."""

    def __init__(self, dimensions: int = 384) -> None:
        self._dimensions = dimensions

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self._dimensions
        vector[sum(text.encode()) % self._dimensions] = 1.0
        return vector


@dataclass(slots=True)
class FakeCacheService:
    """Values in a dict; they never expire."""

    values: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    async def get(self, key: str) -> JsonValue:
        return self.values.get(key)

    async def set(self, key: str, value: JsonValue, ttl_seconds: int = 3600) -> None:  # noqa: ARG002  # the Protocol's
        self.values[key] = value

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)
