"""What plugins may call, by name: the table of docs/architecture.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from memory_server.domain.memories import MAX_CONTENT_BYTES, MAX_METADATA_BYTES, MemoryDraft, MemoryPatch
from memory_server.domain.principals import Principal
from memory_server.domain.queries import MAX_LIMIT, MemoryFilter, SearchQuery
from memory_server.services import arguments as read
from memory_server.services.gateway import Operation, OwnOperation, UserOperation
from memory_server.services.memories import MemoryService
from memory_server.services.plugin_ports import PluginSql
from memory_server.services.ports import Embedder
from memory_server.services.search import SearchService
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import MEMORY_TYPES, SearchResult

MAX_NAME_BYTES: Final = 1024
MAX_TAGS: Final = 100
MAX_SQL_BYTES: Final = 64 * 1024
MAX_PARAMETERS: Final = 1000
MAX_TEXTS: Final = 100

_NAME: Final = read.text(MAX_NAME_BYTES)
_MEMORY_ID: Final[Mapping[str, read.Reader]] = {"memory_id": _NAME}
_LIMIT: Final[Mapping[str, read.Reader]] = {"limit": read.whole(1, MAX_LIMIT)}
_PATCH: Final[Mapping[str, read.Reader]] = {
    "content": read.text(MAX_CONTENT_BYTES),
    "memory_type": read.choice(MEMORY_TYPES),
    "project": read.optional(_NAME),
    "session_id": read.optional(_NAME),
    "tags": read.many(_NAME, most=MAX_TAGS),
    "importance": read.number(0, 1),
    "metadata": read.json_object(MAX_METADATA_BYTES),
    "expires_at": read.optional(read.time),
}
_DRAFT: Final[Mapping[str, read.Reader]] = {**_PATCH, "allow_duplicate": read.boolean}
_STATEMENT: Final[Mapping[str, read.Reader]] = {
    "sql": read.text(MAX_SQL_BYTES),
    "parameters": read.many(read.json_value, most=MAX_PARAMETERS),
}
_TEXTS: Final[Mapping[str, read.Reader]] = {"texts": read.many(read.text(MAX_CONTENT_BYTES), most=MAX_TEXTS)}


class MemoryOperations:
    """The memories of the grant's user."""

    def __init__(self, memories: MemoryService, search: SearchService) -> None:
        self._memories = memories
        self._search = search

    def table(self) -> dict[str, Operation]:
        return {
            "memory.get": UserOperation(("memory:read",), self.get),
            "memory.search": UserOperation(("memory:read",), self.search),
            "memory.list": UserOperation(("memory:read",), self.list),
            "memory.create": UserOperation(("memory:write",), self.create),
            "memory.update": UserOperation(("memory:write",), self.update),
            "memory.delete": UserOperation(("memory:write",), self.delete),
        }

    async def get(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _MEMORY_ID, required=["memory_id"])
        return (await self._memories.get(principal, str(values["memory_id"]))).to_dict()

    async def search(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        readers = {"query": read.text(MAX_CONTENT_BYTES), **_LIMIT}
        values = read.read(arguments, readers, required=["query"])
        query = SearchQuery(text=str(values["query"]), limit=cast(int, values.get("limit", 10)))
        hits = await self._search.search(principal, query)
        return [SearchResult(memory=hit.memory, score=hit.score).to_dict() for hit in hits]

    async def list(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, {"project": read.optional(_NAME), **_LIMIT})
        where = MemoryFilter(project=cast("str | None", values.get("project")))
        page = await self._memories.list(principal, where, limit=cast(int, values.get("limit", MAX_LIMIT)))
        return [memory.to_dict() for memory in page.memories]

    async def create(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _DRAFT, required=["content"])
        draft = MemoryDraft(**values)  # pyright: ignore[reportArgumentType]  # the readers give each field its type
        return (await self._memories.create(principal, draft)).memory.to_dict()

    async def update(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, {**_MEMORY_ID, **_PATCH}, required=["memory_id"])
        memory_id = str(values.pop("memory_id"))
        patch = MemoryPatch(**values)  # pyright: ignore[reportArgumentType]  # the readers give each field its type
        return (await self._memories.update(principal, memory_id, patch)).to_dict()

    async def delete(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _MEMORY_ID, required=["memory_id"])
        await self._memories.delete(principal, str(values["memory_id"]))
        return None


class OwnOperations:
    """What is the plugin's own: its schema in the database, and vectors of its texts."""

    def __init__(self, sql: PluginSql, embedder: Embedder) -> None:
        self._sql = sql
        self._embedder = embedder

    def table(self) -> dict[str, Operation]:
        return {
            "database.query": OwnOperation(("database:read",), self.query),
            "database.execute": OwnOperation(("database:write",), self.execute),
            "embedding.embed": OwnOperation(("embedding",), self.embed),
        }

    async def query(self, plugin_id: str, arguments: JsonObject) -> JsonValue:
        return await self._statement(plugin_id, arguments, read_only=True)

    async def execute(self, plugin_id: str, arguments: JsonObject) -> JsonValue:
        return await self._statement(plugin_id, arguments, read_only=False)

    async def embed(self, _plugin_id: str, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _TEXTS, required=["texts"])
        vectors = await self._embedder.embed(cast("Sequence[str]", values["texts"]))
        return [[float(number) for number in vector] for vector in vectors]

    async def _statement(self, plugin_id: str, arguments: JsonObject, *, read_only: bool) -> JsonValue:
        values = read.read(arguments, _STATEMENT, required=["sql"])
        parameters = cast("Sequence[object]", values.get("parameters", ()))
        return await self._sql.execute(plugin_id, str(values["sql"]), parameters, read_only=read_only)
