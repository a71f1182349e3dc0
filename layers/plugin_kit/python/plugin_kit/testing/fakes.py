"""Fakes of the services of what is the plugin's own: what they did can be looked up afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.testing.fake_files import FakeFiles


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
    files: FakeFiles = field(default_factory=FakeFiles)

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
