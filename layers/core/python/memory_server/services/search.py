"""Memories are found again, by meaning and by words."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from memory_server.domain.errors import MemoryServerError
from memory_server.domain.events import new_event
from memory_server.domain.principals import Principal
from memory_server.domain.queries import Hit, SearchQuery
from memory_server.services.embeddings import CachedEmbedder
from memory_server.services.events import Events
from memory_server.services.ports import Database
from memory_server.services.sizes import fitting
from plugin_kit.envelope import Argument
from plugin_kit.models import SearchResult


class SearchService:
    """Search in the memories of one user."""

    def __init__(self, database: Database, embedder: CachedEmbedder, events: Events) -> None:
        self._database = database
        self._embedder = embedder
        self._events = events

    @property
    def model_id(self) -> str:
        """The model whose vectors are searched."""
        return self._embedder.model_id

    async def search(self, principal: Principal, query: SearchQuery) -> list[Hit]:
        """Return what fits ``query`` best, best first, as much as fits into one answer.

        Raises:
            OutsideProject: the query is for a project that the principal is not confined to.
            Unavailable: the embedder or the database does not answer.
        """
        began = perf_counter()
        query = replace(query, filter=replace(query.filter, project=principal.confine(query.filter.project)))
        try:
            found = await self._search(principal, query)
        except Exception as error:
            # What an internal error says is for the logs; a plugin learns its name.
            text = str(error) if isinstance(error, MemoryServerError) else type(error).__name__
            self._observe("search_failed", principal, query, {"query": query.text, "error": text}, began)
            raise
        hits = found[: fitting([hit.memory for hit in found])]
        results = [SearchResult(memory=hit.memory, score=hit.score) for hit in hits]
        self._observe("search_performed", principal, query, {"query": query.text, "results": results}, began)
        return hits

    async def _search(self, principal: Principal, query: SearchQuery) -> list[Hit]:
        if query.mode == "keyword":
            # Words alone need no embedder, so they are found where it is away.
            async with self._database.transaction(principal) as unit:
                return await unit.memories.search(query, None, "")
        vector = await self._embedder.embed_query(query.text, principal)
        async with self._database.transaction(principal) as unit:
            return await unit.memories.search(query, vector, self._embedder.model_id)

    def _observe(
        self, hook: str, principal: Principal, query: SearchQuery, args: dict[str, Argument], began: float
    ) -> None:
        where = query.filter
        event = new_event(hook, principal, args, session_id=where.session_id, project=where.project, began=began)
        self._events.observed([event])
