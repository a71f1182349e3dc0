"""The plugin on a server of fakes, but with a real schema: requests, and tasks that run until none is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointResponse, Memory
from plugin_kit.testing import FakeFiles, FakeMemoryService, fire_endpoint, fire_task, make_context
from plugins.export_service import plugin
from tests.fixtures.plugin_database import PostgresDatabaseService


class Database:
    """The plugin's schema and files."""

    def __init__(self, schema: PostgresDatabaseService) -> None:
        self._schema = schema
        self.files = FakeFiles()

    async def query(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        return await self._schema.query(sql, parameters)

    async def execute(self, sql: str, parameters: Sequence[JsonValue] = ()) -> list[JsonObject]:
        return await self._schema.execute(sql, parameters)


class Server:
    """One user's view of the plugin. Users share the schema and the files, and have memories of their own."""

    def __init__(self, database: Database, user_id: str = "local", memories: Sequence[Memory] = ()) -> None:
        self.database = database
        self.user_id = user_id
        self.parts = 3
        self.memories = FakeMemoryService(memories, users=(user_id,))
        self.memories.files = database.files

    @property
    def context(self) -> Context:
        config = {"keep_days": 7, "link_minutes": 60}
        return make_context(
            plugin_name="export_service",
            memory_service=self.memories,
            database_service=self.database,
            user_id=self.user_id,
            server_config={"version": "1", "region": "us-east-1", "config": config, "secrets": {}},
        )

    async def ask(self, method: str, path: str, body: JsonValue = None) -> EndpointResponse:
        return await fire_endpoint(plugin, method, path, body=body, context=self.context)

    async def get(self, path: str) -> JsonObject:
        response = await self.ask("GET", path)
        assert response.status == 200, response.body
        return cast(JsonObject, response.body)

    async def run_one(self) -> None:
        """Run the task that was started first. A snapshot is in ``parts``, as if there were much."""
        task = self.memories.started.pop(0)
        if task.task == "snapshot_taken":
            task = task._replace(arguments=self._in_parts(task.arguments))
        await fire_task(plugin, task.task, task.arguments, self.context)

    def _in_parts(self, arguments: JsonObject) -> JsonObject:
        manifest = cast(JsonObject, arguments["snapshot"])
        contents = self.database.files.contents
        parts: list[JsonValue] = []
        for part in cast("Sequence[JsonObject]", manifest["parts"]):
            lines = contents[str(part["name"])].splitlines(keepends=True)
            for number in range(self.parts):
                name = f"{part['name']}.{number}"
                contents[name] = b"".join(
                    lines[number * len(lines) // self.parts : (number + 1) * len(lines) // self.parts]
                )
                parts.append({"name": name})
        return {**arguments, "snapshot": {**manifest, "parts": parts}}

    async def run(self) -> None:
        """Run tasks until none is left."""
        while self.memories.started:
            await self.run_one()

    async def finished(self, kind: str, body: JsonObject) -> JsonObject:
        """Start an export or an import and return it when it has ended."""
        response = await self.ask("POST", f"/{kind}", body)
        assert response.status == 202, response.body
        await self.run()
        return await self.get(f"/{kind}/{cast(Mapping[str, JsonValue], response.body)['id']}")

    def file_of(self, export: JsonObject) -> bytes:
        """Return the file to which the link of ``export`` leads."""
        return self.database.files.contents[f"exports/{export['id']}/file"]
