"""What plugins may call, by name: the table of docs/architecture.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from memory_server.domain.memories import MAX_CONTENT_BYTES, MemoryDraft, MemoryPatch
from memory_server.domain.principals import Principal
from memory_server.domain.queries import COUNTED, MAX_LIMIT, MemoryCount, MemoryFilter, Position, SearchQuery
from memory_server.services import arguments as read
from memory_server.services.gateway import Operation, OwnOperation, UserOperation
from memory_server.services.memories import MemoryService
from memory_server.services.memory_arguments import FIELDS, NAME
from memory_server.services.plugin_ports import PluginSql
from memory_server.services.ports import Embedder
from memory_server.services.search import SearchService
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import SearchResult

MAX_SQL_BYTES: Final = 64 * 1024
MAX_PARAMETERS: Final = 1000
MAX_TEXTS: Final = 100

_MEMORY_ID: Final[Mapping[str, read.Reader]] = {"memory_id": NAME}
_LIMIT: Final[Mapping[str, read.Reader]] = {"limit": read.whole(1, MAX_LIMIT)}
_DRAFT: Final[Mapping[str, read.Reader]] = {**FIELDS, "allow_duplicate": read.boolean}
_POSITION: Final[Mapping[str, read.Reader]] = {"id": read.uuid, "created_at": read.time}
_LIST: Final[Mapping[str, read.Reader]] = {
    "project": read.optional(NAME),
    "after": read.optional(read.json_object(1024)),
    **_LIMIT,
}
_COUNT: Final[Mapping[str, read.Reader]] = {
    "by": read.many(read.choice(COUNTED), most=len(COUNTED)),
    "project": read.optional(NAME),
    "since": read.optional(read.time),
    "until": read.optional(read.time),
    "deleted": read.boolean,
}
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
            "memory.search": UserOperation(("memory:read",), self.search, keeps=True),
            "memory.list": UserOperation(("memory:read",), self.list),
            "memory.count": UserOperation(("memory:read",), self.count),
            "memory.create": UserOperation(("memory:write",), self.create, keeps=True),
            "memory.update": UserOperation(("memory:write",), self.update, keeps=True),
            "memory.delete": UserOperation(("memory:write",), self.delete, keeps=True),
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
        values = read.read(arguments, _LIST)
        where = MemoryFilter(project=cast("str | None", values.get("project")))
        after = _position(cast("JsonObject | None", values.get("after")))
        page = await self._memories.list(principal, where, after=after, limit=cast(int, values.get("limit", MAX_LIMIT)))
        return [memory.to_dict() for memory in page.memories]

    async def count(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _COUNT)
        wanted = MemoryCount(**values)  # pyright: ignore[reportArgumentType]  # the readers give each field its type
        return list(await self._memories.count(principal, wanted))

    async def create(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, _DRAFT, required=["content"])
        draft = MemoryDraft(**values)  # pyright: ignore[reportArgumentType]  # the readers give each field its type
        return (await self._memories.create(principal, draft)).memory.to_dict()

    async def update(self, principal: Principal, arguments: JsonObject) -> JsonValue:
        values = read.read(arguments, {**_MEMORY_ID, **FIELDS}, required=["memory_id"])
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
            "database.execute": OwnOperation(("database:write",), self.execute, keeps=True),
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


def _position(value: JsonObject | None) -> Position | None:
    if value is None:
        return None
    values = read.read(value, _POSITION, required=_POSITION)
    return Position(cast(datetime, values["created_at"]), str(values["id"]))
