"""The memories of one user, inside one transaction."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from memory_server.domain.errors import DuplicateContent, MemoryNotFound, VersionConflict
from memory_server.domain.memories import (
    DeletedMemory,
    MemoryDraft,
    MemoryPatch,
    PastVersion,
    StoreResult,
    Unset,
    Vector,
    content_hash,
)
from memory_server.domain.principals import Principal
from memory_server.domain.queries import Hit, MemoryCount, MemoryFilter, Page, Position, SearchQuery
from memory_server.domain.quotas import Quotas
from memory_server.repository import counts, search
from memory_server.repository import drafts as stored_drafts
from memory_server.repository.pool import Connection
from memory_server.repository.rows import filter_json, half_vector, memory_of, uuid_of
from memory_server.repository.sql import statement
from memory_server.repository.usage import QuotaKeeper
from plugin_kit.json_types import JsonObject, dumps
from plugin_kit.models import Memory

_PATCHED: Final = tuple(field.name for field in fields(MemoryPatch))


class PostgresMemories:
    """Implements ports.MemoryRepository. Row-level security confines every statement to the principal."""

    def __init__(self, connection: Connection, principal: Principal, quotas: Quotas) -> None:
        self._connection = connection
        self._principal = principal
        self._quotas = QuotaKeeper(connection, principal, quotas)

    async def find_duplicates(self, drafts: Sequence[MemoryDraft]) -> dict[int, Memory]:
        return await stored_drafts.find_duplicates(self._connection, drafts)

    async def add(
        self, drafts: Sequence[MemoryDraft], vectors: Mapping[int, Vector], model_id: str
    ) -> builtins.list[StoreResult]:
        results, sizes = await stored_drafts.add(self._connection, self._principal, drafts, vectors, model_id)
        if sizes:
            await self._quotas.hold(memories=len(sizes), size=sum(sizes.values()), sizes=sizes)
        return results

    async def get(self, memory_id: str) -> Memory:
        return await self._one("get", memory_id)

    async def update(
        self, memory_id: str, patch: MemoryPatch, *, vector: Vector | None, model_id: str, expected_version: int | None
    ) -> Memory:
        current = await self._locked(memory_id, expected_version)
        changes = {name: getattr(patch, name) for name in _PATCHED}
        values = {name: getattr(current, name) if isinstance(new, Unset) else new for name, new in changes.items()}
        key = (content_hash(values["content"]), values["project"])
        await stored_drafts.bury_expired(self._connection, [key])
        try:
            async with self._connection.transaction():
                await self._rows("keep_version", id=current.id)
                rows = await self._rows(
                    "update",
                    **values
                    | {
                        "id": current.id,
                        "content_sha256": key[0],
                        "tags": list(values["tags"]),
                        "metadata": Jsonb(values["metadata"], dumps),
                        "vector": None if vector is None else half_vector(vector),
                        "model_id": None if vector is None else model_id,
                    },
                )
        except UniqueViolation as error:
            others = await stored_drafts.find_by_content(self._connection, [key])
            raise DuplicateContent(others[0].id) from error
        await self._quotas.hold(size=rows[0]["growth"])
        return memory_of(rows[0])

    async def delete(self, memory_id: str, *, expected_version: int | None = None) -> Memory:
        memory = await self._locked(memory_id, expected_version)
        await self.delete_many([memory_id], None)
        return memory

    async def delete_many(self, ids: Sequence[str] | None, where: MemoryFilter | None) -> builtins.list[DeletedMemory]:
        rows = await self._selected("delete", ids, where)
        await self._quotas.trim()
        return [DeletedMemory(id=str(row["id"]), project=row["project"], session_id=row["session_id"]) for row in rows]

    async def match_ids(self, ids: Sequence[str] | None, where: MemoryFilter | None) -> builtins.list[str]:
        return [str(row["id"]) for row in await self._selected("match_ids", ids, where)]

    async def history(self, memory_id: str) -> builtins.list[PastVersion]:
        rows = await self._rows("history", id=uuid_of(memory_id))
        if not rows:
            await self.get(memory_id)
        return [
            PastVersion(memory=memory_of(row), replaced_at=row["replaced_at"], replaced_by=row["replaced_by"])
            for row in rows
        ]

    async def count(self, wanted: MemoryCount, *, limit: int) -> Sequence[JsonObject]:
        return await counts.count(self._connection, wanted, limit=limit)

    async def list(self, where: MemoryFilter, *, after: Position | None, limit: int) -> Page:
        rows = await self._rows(
            "list",
            filter=filter_json(where),
            after_time=after and after.created_at,
            after_id=after and after.memory_id,
            limit=limit + 1,
        )
        memories = [memory_of(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(memories=memories, next=None)
        return Page(memories=memories, next=Position(rows[limit - 1]["created_at"], memories[-1].id))

    async def search(self, query: SearchQuery, vector: Vector | None, model_id: str) -> builtins.list[Hit]:
        return await search.search(self._connection, query, vector, model_id)

    async def _locked(self, memory_id: str, expected_version: int | None) -> Memory:
        """Return the memory, which nobody else can change until the transaction ends."""
        memory = await self._one("lock", memory_id)
        if expected_version is not None and memory.version != expected_version:
            raise VersionConflict(memory.id, expected_version, memory.version)
        return memory

    async def _one(self, name: str, memory_id: str) -> Memory:
        rows = await self._rows(name, id=uuid_of(memory_id))
        if not rows:
            raise MemoryNotFound(memory_id)
        return memory_of(rows[0])

    async def _selected(
        self, name: str, ids: Sequence[str] | None, where: MemoryFilter | None
    ) -> builtins.list[DictRow]:
        """Run a statement on the memories that ``ids`` or ``where`` names."""
        if (ids is None) == (where is None):
            raise ValueError("either ids or a filter says which memories are meant")
        wanted = None if ids is None else [uuid for text in ids if (uuid := uuid_of(text))]
        return await self._rows(name, ids=wanted, filter=filter_json(where or MemoryFilter()))

    async def _rows(self, name: str, **parameters: object) -> builtins.list[DictRow]:
        cursor = await self._connection.execute(statement(name), parameters)
        return await cursor.fetchall() if cursor.description else []
