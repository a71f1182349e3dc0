"""Memories: stored, read, changed, deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from memory_api import cursor
from memory_api.auth import MemoryReader, MemoryWriter
from memory_api.dependencies import Memories, MemoryId
from memory_api.headers import IdempotencyKey, IfMatch, IfNoneMatch, etag, none_match
from memory_api.problems import problems
from memory_api.schemas.memories import (
    BatchItem,
    BatchResults,
    History,
    MemoryBatch,
    MemoryCreate,
    MemoryList,
    MemoryOut,
    MemoryUpdate,
    Version,
)
from memory_api.schemas.queries import Deleted, DeleteRequest, ListParameters

router = APIRouter(prefix="/memories", tags=["memories"])

_ETAG = {"ETag": {"description": "The memory's version.", "schema": {"type": "string"}}}
_LOCATION = {"Location": {"description": "The memory's path.", "schema": {"type": "string"}}}
_EXISTING = {
    "description": "The project has this content already, or the request came again: the memory that is there",
    "model": MemoryOut,
    "headers": {**_ETAG, **_LOCATION},
}


@router.post(
    "",
    status_code=201,
    response_description="The memory is stored",
    responses={201: {"headers": {**_ETAG, **_LOCATION}}, 200: _EXISTING, **problems(404, 413, 415, 422, 503)},
)
async def create_memory(
    body: MemoryCreate,
    response: Response,
    memories: Memories,
    caller: MemoryWriter,
    idempotency_key: IdempotencyKey = None,
) -> MemoryOut:
    """Store a memory.

    The same content again in the same project answers 200 with the memory that is there. With an Idempotency-Key, a
    repeated request is answered as the first one was; 404 where its memory has been deleted since.
    """
    result = await memories.create(caller, body.draft(), idempotency_key=idempotency_key)
    response.status_code = 201 if result.created else 200
    response.headers["Location"] = f"/memories/{result.memory.id}"
    response.headers["ETag"] = etag(result.memory.version)
    return MemoryOut.of(result.memory)


@router.post("/batch", responses=problems(404, 413, 415, 422, 503))
async def create_memories(
    body: MemoryBatch, memories: Memories, caller: MemoryWriter, idempotency_key: IdempotencyKey = None
) -> BatchResults:
    """Store up to 1,000 memories in one transaction; where one of them is wrong, none is stored."""
    drafts = [item.draft() for item in body.memories]
    results = await memories.create_many(caller, drafts, idempotency_key=idempotency_key)
    return BatchResults(results=[BatchItem.of(index, result) for index, result in enumerate(results)])


@router.post("/delete", responses=problems(413, 415, 422, 503))
async def delete_memories(body: DeleteRequest, memories: Memories, caller: MemoryWriter) -> Deleted:
    """Delete memories by ids, by filter, or all of them, at most 10,000 at once.

    Ids that are not there are passed over. An empty filter is refused: to delete every memory, say so with all.
    """
    ids = await memories.delete_many(caller, ids=body.ids, where=body.where(), dry_run=body.dry_run)
    return Deleted(dry_run=body.dry_run, count=len(ids), ids=ids)


@router.get("", responses=problems(422, 503))
async def list_memories(
    parameters: Annotated[ListParameters, Query()], memories: Memories, caller: MemoryReader
) -> MemoryList:
    """List memories from new to old, a page at a time. Repeat memory_type, tags_any and tags_all for more than one.

    A page of very long memories ends before its limit; next_cursor leads on.
    """
    page = await memories.list(caller, parameters.filter(), after=parameters.cursor, limit=parameters.limit)
    return MemoryList(
        memories=[MemoryOut.of(memory) for memory in page.memories],
        next_cursor=None if page.next is None else cursor.encode(page.next),
    )


@router.get(
    "/{memory_id:uuid}",
    response_model=MemoryOut,
    responses={200: {"headers": _ETAG}, 304: {"description": "You have this version"}, **problems(404, 422, 503)},
)
async def get_memory(
    memory_id: MemoryId, response: Response, memories: Memories, caller: MemoryReader, if_none_match: IfNoneMatch = None
) -> MemoryOut | Response:
    """Get a memory by its id."""
    memory = await memories.get(caller, memory_id)
    response.headers["ETag"] = etag(memory.version)
    if none_match(if_none_match, memory.version):
        return Response(status_code=304, headers={"ETag": etag(memory.version)})
    return MemoryOut.of(memory)


@router.patch("/{memory_id:uuid}", responses={200: {"headers": _ETAG}, **problems(404, 409, 412, 413, 415, 422, 503)})
async def update_memory(
    memory_id: MemoryId,
    body: MemoryUpdate,
    response: Response,
    memories: Memories,
    caller: MemoryWriter,
    if_match: IfMatch = None,
) -> MemoryOut:
    """Change a memory and keep the version before. A change that changes nothing makes no new version."""
    memory = await memories.update(caller, memory_id, body.patch(), expected_version=if_match)
    response.headers["ETag"] = etag(memory.version)
    return MemoryOut.of(memory)


@router.delete("/{memory_id:uuid}", status_code=204, responses=problems(404, 412, 422, 503))
async def delete_memory(
    memory_id: MemoryId, memories: Memories, caller: MemoryWriter, if_match: IfMatch = None
) -> None:
    """Delete a memory. Its history stays."""
    await memories.delete(caller, memory_id, expected_version=if_match)


@router.get("/{memory_id:uuid}/history", responses=problems(404, 422, 503))
async def get_history(memory_id: MemoryId, memories: Memories, caller: MemoryReader) -> History:
    """Get the versions before the present one, newest first; of a deleted memory, all of them.

    Of a very long memory these are the newest versions, as many as fit into one answer.
    """
    past = await memories.history(caller, memory_id)
    return History(
        versions=[
            Version(
                memory=MemoryOut.of(version.memory), replaced_at=version.replaced_at, replaced_by=version.replaced_by
            )
            for version in past
        ]
    )
