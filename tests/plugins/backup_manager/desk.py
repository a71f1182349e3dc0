"""A user's desk in the tests: the plugin over real PostgreSQL, with memories, files and tasks in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointResponse, Memory
from plugin_kit.testing import FakeMemoryService, fire_endpoint, fire_task, make_context
from plugin_kit.testing.fake_files import FakeFiles
from plugins.backup_manager import plugin
from tests.fixtures.plugin_database import PostgresDatabaseService

KEY: Final = "not-a-real-key-but-long-enough-to-be-one"
_MAX_TASKS: Final = 500


class Database:
    """The plugin's schema, with files beside it."""

    def __init__(self, sql: PostgresDatabaseService, files: FakeFiles) -> None:
        self.files = files
        self.query = sql.query
        self.execute = sql.execute


@dataclass(kw_only=True)
class Desk:
    """What the user ``user_id`` does with the plugin. ``files`` are the plugin's own, and so all users'."""

    sql: PostgresDatabaseService
    files: FakeFiles = field(default_factory=FakeFiles)
    user_id: str = "local"
    memories: FakeMemoryService = field(default_factory=FakeMemoryService)
    secrets: dict[str, str] = field(default_factory=lambda: {"encryption_key": KEY})
    config: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    events: int = 0

    def __post_init__(self) -> None:
        self.memories.files = self.files

    def context(self) -> Context:
        """Return the context of the next event."""
        self.events += 1
        return make_context(
            plugin_name="backup_manager",
            user_id=self.user_id,
            memory_service=self.memories,
            database_service=Database(self.sql, self.files),
            server_config={"config": self.config, "secrets": self.secrets},
            metadata={"event_id": f"{self.user_id}-{id(self)}-{self.events}"},
        )

    async def ask(
        self, method: str, path: str, body: JsonValue = None, *, query: Mapping[str, str] | None = None
    ) -> EndpointResponse:
        """Return what an endpoint answers."""
        return await fire_endpoint(plugin, method, path, body=body, query=query, context=self.context())

    async def get(self, path: str) -> JsonObject:
        """Return the body of a GET that goes well."""
        response = await self.ask("GET", path)
        assert response.status == 200, response.body
        return cast(JsonObject, response.body)

    async def post(self, path: str, body: JsonValue = None) -> str:
        """Begin something by a POST, and return its id."""
        response = await self.ask("POST", path, body)
        assert response.status == 202, response.body
        return str(cast(JsonObject, response.body)["id"])

    async def work(self, steps: int = _MAX_TASKS) -> None:
        """Run the tasks that were started, and those that they start, at most ``steps`` of them."""
        for _ in range(steps):
            if not self.memories.started:
                return
            task = self.memories.started.pop(0)
            await fire_task(plugin, task.task, task.arguments, self.context())
        assert steps < _MAX_TASKS, "the plugin starts tasks without end"

    async def back_up(self, body: JsonValue = None) -> str:
        """Make a backup and return its id."""
        backup_id = await self.post("/backups", body)
        await self.work()
        return backup_id

    async def run(self, backup_id: str, what: str, body: JsonValue = None) -> JsonObject:
        """Verify or restore a backup, and return how that ended."""
        run_id = await self.post(f"/backups/{backup_id}/{what}", body)
        await self.work()
        return await self.get(f"/runs/{run_id}")

    async def backup(self, backup_id: str) -> JsonObject:
        """Return a backup as the plugin shows it."""
        return await self.get(f"/backups/{backup_id}")

    def schedule_context(self) -> Context:
        """Return the context of a schedule: it has no user."""
        return {**self.context(), "user_id": None}

    def part_names(self, backup_id: str) -> list[str]:
        """Return the names of the files of a backup's parts."""
        begin = f"backups/{backup_id}/0"
        return sorted(name for name in self.files.contents if name.startswith(begin))


def some_memories(count: int = 3, project: str | None = "team") -> list[Memory]:
    """Return memories that differ."""
    return [Memory(id=f"memory-{number}", content=f"Fact number {number}.", project=project) for number in range(count)]
