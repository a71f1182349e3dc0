"""memory_analytics on a real schema of its own, as a server would call it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from memory_server.domain.events import new_id
from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointResponse, Memory, SearchResult
from plugin_kit.testing import FakeDatabaseService, FakeMemoryService, fire, fire_endpoint, fire_task, make_context
from plugins.memory_analytics import plugin
from tests.fixtures.plugin_database import PostgresDatabaseService


@dataclass
class Analytics:
    """The plugin over ``database``; what it asks of the server's memories, ``memories`` answers."""

    database: PostgresDatabaseService | FakeDatabaseService
    memories: FakeMemoryService = field(default_factory=FakeMemoryService)
    config: dict[str, JsonValue] = field(default_factory=lambda: {"keep_query_text": False, "retention_days": 90})

    def context(
        self,
        user_id: str | None = "local",
        *,
        at: datetime | None = None,
        event_id: str | None = None,
        project: str | None = None,
        **metadata: JsonValue,
    ) -> Context:
        event: JsonObject = {
            "event_id": event_id or new_id(),
            "occurred_at": (at or datetime.now(UTC)).isoformat(),
            **metadata,
        }
        return make_context(
            plugin_name="memory_analytics",
            user_id=user_id,
            project=project,
            database_service=self.database,
            memory_service=self.memories,
            server_config={"config": self.config},
            metadata=event,
        )

    async def initialize(self) -> None:
        await plugin.initialize(self.context(None))

    async def fire(self, hook: str, *arguments: object, context: Context | None = None) -> None:
        await fire(plugin, hook, *arguments, context=context or self.context())

    async def search(self, query: str, *found: Memory, context: Context | None = None) -> None:
        results = [SearchResult(memory=memory, score=0.5) for memory in found]
        await self.fire("search_performed", query, results, context=context)

    async def run_tasks(self) -> None:
        """Run the tasks that were started, and those that they start."""
        while self.memories.started:
            task = self.memories.started.pop(0)
            await fire_task(plugin, task.task, task.arguments, context=self.context())

    async def answer(self, path: str, user_id: str = "local", **query: str) -> EndpointResponse:
        return await fire_endpoint(plugin, "GET", path, query=query, context=self.context(user_id))

    async def get(self, path: str, user_id: str = "local", **query: str) -> Any:  # noqa: ANN401  # JSON, as tests read it
        response = await self.answer(path, user_id, **query)
        assert response.status == 200, response.body
        return cast("Any", response.body)

    async def rows(self, sql: str) -> list[tuple[JsonValue, ...]]:
        return [tuple(row.values()) for row in await self.database.query(sql)]


def memory(memory_id: str, project: str | None = "home", *, expires_at: datetime | None = None) -> Memory:
    return Memory(id=memory_id, content="...", project=project, created_at=datetime.now(UTC), expires_at=expires_at)
