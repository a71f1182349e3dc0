"""Memories are stored, read, changed and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Final

from memory_server.domain.changes import NO_CHANGE, effective_changes
from memory_server.domain.errors import AnswerTooLarge, DuplicateContent, InvalidRequest, VersionConflict
from memory_server.domain.events import memory_event, new_event
from memory_server.domain.memories import (
    UNSET,
    DeletedMemory,
    MemoryDraft,
    MemoryPatch,
    PastVersion,
    StoreResult,
    Vector,
)
from memory_server.domain.principals import Principal
from memory_server.domain.queries import MemoryCount, MemoryFilter, Page, Position
from memory_server.services.events import Events
from memory_server.services.idempotency import fingerprint
from memory_server.services.ports import Database, Embedder, StoredResponse, UnitOfWork
from memory_server.services.sizes import fitting
from plugin_kit.envelope import Event
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory

MAX_DELETE: Final = 10_000
MAX_GROUPS: Final = 10_000


class MemoryService:
    """The life of memories. Every method acts for ``principal`` alone, and may raise Unavailable.

    Each raises OutsideProject where the principal is confined to one project and the request names another.

    No transaction stays open while a text is embedded, and no text is embedded that is stored already. What the
    transaction wrote to the outbox is handed to ``events`` after the commit.
    """

    def __init__(self, database: Database, embedder: Embedder, events: Events) -> None:
        self._database = database
        self._embedder = embedder
        self._events = events

    async def create(
        self, principal: Principal, draft: MemoryDraft, *, idempotency_key: str | None = None
    ) -> StoreResult:
        """Store ``draft``, or find the memory that already has its content in its project.

        A request that comes again with its ``idempotency_key`` gets the first one's result, with the memory as it is
        by now.

        Raises:
            IdempotencyKeyReused: the key stands for another request.
            MemoryNotFound: the key's memory has been deleted since.
        """
        return (await self._store(principal, [draft], "create", idempotency_key))[0]

    async def create_many(
        self, principal: Principal, drafts: Sequence[MemoryDraft], *, idempotency_key: str | None = None
    ) -> list[StoreResult]:
        """Store all ``drafts`` in one transaction, or none; return the results in order. Raises as ``create`` does."""
        return await self._store(principal, drafts, "create_many", idempotency_key)

    async def get(self, principal: Principal, memory_id: str) -> Memory:
        """Raises: MemoryNotFound."""
        began = perf_counter()
        async with self._database.transaction(principal) as unit:
            memory = await unit.memories.get(memory_id)
        self._events.observed([memory_event("memory_retrieved", memory, began=began)])
        return memory

    async def list(
        self, principal: Principal, where: MemoryFilter, *, after: Position | None = None, limit: int = 50
    ) -> Page:
        """Return the next page: ``limit`` memories, or as many as fit into one answer."""
        where = _confined(principal, where)
        async with self._database.transaction(principal) as unit:
            page = await unit.memories.list(where, after=after, limit=limit)
        fit = fitting(page.memories)
        if fit == len(page.memories):
            return page
        last = page.memories[fit - 1]
        assert last.created_at is not None  # noqa: S101  # a stored memory has the time at which it was stored
        return Page(memories=page.memories[:fit], next=Position(last.created_at, last.id))

    async def count(self, principal: Principal, wanted: MemoryCount) -> Sequence[JsonObject]:
        """Return a row a group: its keys and ``count``.

        Raises:
            AnswerTooLarge: there are more than ``MAX_GROUPS`` groups.
            InvalidRequest: the keys do not go together.
        """
        if "born" in wanted.by and (wanted.deleted or "day" in wanted.by):
            raise InvalidRequest.of("by", "born is a day of all memories, deleted ones too: leave out day and deleted")
        async with self._database.transaction(principal) as unit:
            rows = await unit.memories.count(wanted, limit=MAX_GROUPS + 1)
        if len(rows) > MAX_GROUPS:
            raise AnswerTooLarge.of("by", f"gives over {MAX_GROUPS:,} rows: narrow it with project, since or until")
        return rows

    async def history(self, principal: Principal, memory_id: str) -> list[PastVersion]:
        """Return the versions before this one, newest first, as many as fit into one answer; of a deleted memory too.

        Raises:
            MemoryNotFound: there never was such a memory.
        """
        async with self._database.transaction(principal) as unit:
            past = await unit.memories.history(memory_id)
        return past[: fitting([version.memory for version in past])]

    async def update(
        self, principal: Principal, memory_id: str, patch: MemoryPatch, *, expected_version: int | None = None
    ) -> Memory:
        """Apply ``patch`` and return the memory as it is then; a patch that changes nothing makes no new version.

        Raises:
            MemoryNotFound: there is no such memory.
            VersionConflict: the memory is not at ``expected_version``.
            DuplicateContent: another memory of the project has this content.
        """
        began = perf_counter()
        if patch.project is not UNSET:
            patch = replace(patch, project=principal.confine(patch.project))
        vector: Vector | None = None
        while True:
            try:
                changed = await self._try_update(principal, memory_id, patch, vector, expected_version, began)
            except VersionConflict:
                # The memory changed under our hands. A client that named no version does not mind: look again.
                if expected_version is not None:
                    raise
                continue
            if changed is not None:
                return changed
            vector = (await self._embedder.embed([str(patch.content)]))[0]

    async def delete(self, principal: Principal, memory_id: str, *, expected_version: int | None = None) -> None:
        """Raises: MemoryNotFound, VersionConflict."""
        async with self._database.transaction(principal) as unit:
            memory = await unit.memories.delete(memory_id, expected_version=expected_version)
            event = memory_event("memory_deleted", memory)
            await unit.outbox.append([event])
        self._events.committed([event])

    async def delete_many(
        self,
        principal: Principal,
        *,
        ids: Sequence[str] | None = None,
        where: MemoryFilter | None = None,
        dry_run: bool = False,
    ) -> list[str]:
        """Delete by ``ids`` or by ``where`` (one of them), and return the ids that were there; ``dry_run`` only looks.

        Raises:
            InvalidRequest: more than ``MAX_DELETE`` memories match.
        """
        where = None if where is None else _confined(principal, where)
        async with self._database.transaction(principal) as unit:
            found = await unit.memories.match_ids(ids, where)
            if len(found) > MAX_DELETE:
                raise InvalidRequest.of(
                    "filter", f"matches {len(found):,} memories, {MAX_DELETE:,} can be deleted at once: narrow it"
                )
            if dry_run or not found:
                return found
            deleted = await unit.memories.delete_many(found, None)
            events = [_deletion(principal, memory) for memory in deleted]
            await unit.outbox.append(events)
        self._events.committed(events)
        return [memory.id for memory in deleted]

    async def _store(
        self, principal: Principal, drafts: Sequence[MemoryDraft], operation: str, key: str | None
    ) -> list[StoreResult]:
        began = perf_counter()
        drafts = [replace(draft, project=principal.confine(draft.project)) for draft in drafts]
        async with self._database.transaction(principal) as unit:
            known = await unit.memories.find_duplicates(drafts)
        vectors = await self._embed({i: draft.content for i, draft in enumerate(drafts) if i not in known})
        request = b"" if key is None else fingerprint(operation, drafts)
        async with self._database.transaction(principal) as unit:
            if key is not None:
                answered = await unit.idempotency.claim(key, request)
                if answered is not None:
                    return await _answer_again(unit, answered)
            results = await unit.memories.add(drafts, vectors, self._embedder.model_id if vectors else "")
            created = [result.memory for result in results if result.created]
            events = [memory_event("memory_created", memory, began=began) for memory in created]
            await unit.outbox.append(events)
            if key is not None:
                await unit.idempotency.store(key, _response(request, results))
        self._events.committed(events)
        return results

    async def _embed(self, texts: dict[int, str]) -> dict[int, Vector]:
        """Return a vector a text, by the texts' keys; equal texts are embedded once."""
        distinct = list(dict.fromkeys(texts.values()))
        if not distinct:
            return {}
        vectors = dict(zip(distinct, await self._embedder.embed(distinct), strict=True))
        return {index: vectors[text] for index, text in texts.items()}

    async def _try_update(
        self,
        principal: Principal,
        memory_id: str,
        patch: MemoryPatch,
        vector: Vector | None,
        expected_version: int | None,
        began: float,
    ) -> Memory | None:
        """Apply ``patch``, or return None where ``vector`` is missing to do it."""
        async with self._database.transaction(principal) as unit:
            before = await unit.memories.get(memory_id)
            if expected_version is not None and before.version != expected_version:
                raise VersionConflict(memory_id, expected_version, before.version)
            changes = effective_changes(patch, before)
            if changes == NO_CHANGE:
                return before
            if changes.content is UNSET:
                vector = None
            elif vector is None:
                await _refuse_duplicate(unit, before, changes)
                return None
            after = await unit.memories.update(
                memory_id,
                changes,
                vector=vector,
                model_id="" if vector is None else self._embedder.model_id,
                expected_version=before.version,
            )
            event = memory_event("memory_updated", after, began=began)
            await unit.outbox.append([event])
        self._events.committed([event])
        return after


def _confined(principal: Principal, where: MemoryFilter) -> MemoryFilter:
    return replace(where, project=principal.confine(where.project))


def _deletion(principal: Principal, memory: DeletedMemory) -> Event:
    arguments = {"memory_id": memory.id}
    return new_event("memory_deleted", principal, arguments, session_id=memory.session_id, project=memory.project)


async def _refuse_duplicate(unit: UnitOfWork, before: Memory, changes: MemoryPatch) -> None:
    project = before.project if changes.project is UNSET else changes.project
    draft = MemoryDraft(content=str(changes.content), project=project)
    same = (await unit.memories.find_duplicates([draft])).get(0)
    if same is not None:
        raise DuplicateContent(same.id)


async def _answer_again(unit: UnitOfWork, answered: StoredResponse) -> list[StoreResult]:
    return [
        StoreResult(memory=await unit.memories.get(memory_id), created=created)
        for memory_id, created in zip(answered.memory_ids, answered.created, strict=True)
    ]


def _response(request: bytes, results: Sequence[StoreResult]) -> StoredResponse:
    return StoredResponse(
        fingerprint=request,
        memory_ids=tuple(result.memory.id for result in results),
        created=tuple(result.created for result in results),
    )
