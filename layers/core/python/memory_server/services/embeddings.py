"""Embedding with a memory: the vectors of queries are kept, because people ask the same things again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from memory_server.domain.events import new_event
from memory_server.domain.memories import Vector
from memory_server.domain.principals import Principal
from memory_server.domain.vectors import pack, unpack
from memory_server.services.events import Events
from memory_server.services.ports import Embedder, EmbeddingCache
from plugin_kit.envelope import Argument

# 1.5 kB each at 384 dimensions.
MAX_ENTRIES: Final = 2048


class CachedEmbedder:
    """An Embedder before which stand two caches of queries: this process's own, and ``cache``.

    What is stored is embedded once in its life, so ``embed`` passes both by.
    """

    def __init__(
        self, embedder: Embedder, cache: EmbeddingCache, events: Events, *, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._embedder = embedder
        self._cache = cache
        self._events = events
        self._max_entries = max_entries
        self._recent: OrderedDict[str, bytes] = OrderedDict()

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector a text, in order.

        Raises:
            Unavailable: the embedder does not answer.
        """
        return await self._embedder.embed(texts)

    async def embed_query(self, text: str, principal: Principal) -> Vector:
        """Return the vector of a query, and report what the caches knew of it as events of ``principal``.

        Raises:
            Unavailable: the caches do not know the query and the embedder does not answer.
        """
        key = _key(text, principal, self.model_id)
        vector = await self._find(principal.user_id, key)
        if vector is not None:
            self._observe("cache_hit", principal, {"key": key, "value": vector})
            return vector
        self._observe("cache_miss", principal, {"key": key})
        vector = list((await self._embedder.embed([text]))[0])
        self._remember(key, vector)
        await self._cache.put(principal.user_id, key, vector)
        self._observe("cache_updated", principal, {"key": key, "value": vector})
        return vector

    async def erase(self, user_id: str) -> None:
        """Forget the vectors of a user's queries that this process has. Others have them for a while, without texts."""
        prefix = _prefix(user_id)
        for key in [key for key in self._recent if key.startswith(prefix)]:
            del self._recent[key]

    async def ping(self) -> None:
        """Raises: Unavailable: the embedder does not answer."""
        await self._embedder.embed(["ping"])

    async def _find(self, user_id: str, key: str) -> list[float] | None:
        recent = self._recent.get(key)
        if recent is not None:
            self._recent.move_to_end(key)
            return unpack(recent)
        vector = await self._cache.get(user_id, key)
        if vector is None:
            return None
        self._remember(key, vector)
        return list(vector)

    def _remember(self, key: str, vector: Vector) -> None:
        self._recent[key] = pack(vector)
        self._recent.move_to_end(key)
        if len(self._recent) > self._max_entries:
            self._recent.popitem(last=False)

    def _observe(self, hook: str, principal: Principal, args: dict[str, Argument]) -> None:
        self._events.observed([new_event(hook, principal, args)])


def _key(text: str, principal: Principal, model_id: str) -> str:
    # With the user in it: a shared entry would tell one user, by the time it saves, what another has asked.
    text_hash = hashlib.sha256("\0".join((principal.user_id, model_id, text)).encode()).hexdigest()
    return _prefix(principal.user_id) + text_hash


def _prefix(user_id: str) -> str:
    return f"embedding:{hashlib.sha256(user_id.encode()).hexdigest()[:32]}:"
