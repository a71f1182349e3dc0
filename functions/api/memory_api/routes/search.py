"""Search."""

from __future__ import annotations

from fastapi import APIRouter

from memory_api.auth import MemoryReader
from memory_api.dependencies import Search
from memory_api.problems import problems
from memory_api.schemas.queries import SearchHit, SearchRequest, SearchResults

router = APIRouter(tags=["memories"])


@router.post("/memories/search", responses=problems(413, 415, 422, 503))
async def search_memories(body: SearchRequest, search: Search, caller: MemoryReader) -> SearchResults:
    """Find memories by meaning and by words. Expired and deleted memories are never found."""
    hits = await search.search(caller, body.search_query())
    return SearchResults(
        results=[SearchHit.of(hit, explain=body.explain) for hit in hits],
        mode=body.mode,
        model=None if body.mode == "keyword" else search.model_id,
    )
