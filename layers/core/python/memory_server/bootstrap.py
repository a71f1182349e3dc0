"""The composition root: the one place that names concrete classes. Each function builds what it needs, and no more.

Imports stand inside the builders: a function's package brings what its own builder imports, and it starts the sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.onnx_embedder import OnnxEmbedder
    from memory_server.services.embeddings import CachedEmbedder
    from memory_server.services.events import Events
    from memory_server.services.health import HealthService
    from memory_server.services.memories import MemoryService
    from memory_server.services.plugins import PluginService
    from memory_server.services.ports import Embedder
    from memory_server.services.search import SearchService


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What the HTTP API serves. ``warm`` makes the first request quick; ``close`` lets connections go."""

    memories: MemoryService
    search: SearchService
    plugins: PluginService
    health: HealthService
    events: Events
    warm: Callable[[], Coroutine[None, None, None]]
    close: Callable[[], Coroutine[None, None, None]]


def local_embedder(settings: Settings) -> OnnxEmbedder:
    """Return the embedder that serves the model in ``model_path`` in this process."""
    from memory_server.adapters.onnx_embedder import OnnxEmbedder

    return OnnxEmbedder(Path(settings.require("model_path")))


def embedder(settings: Settings, clients: Clients) -> Embedder:
    """Return the embedder of this process where it has a model, else the one in a Lambda of its own."""
    if settings.model_path:
        return local_embedder(settings)
    from memory_server.adapters.lambda_embedder import LambdaEmbedder

    return LambdaEmbedder(clients.functions, settings.require("embedder_function"))


def cached_embedder(settings: Settings, clients: Clients, events: Events) -> CachedEmbedder:
    """Return the embedder with the caches of queries before it."""
    from memory_server.adapters.dynamodb_embedding_cache import DynamoDBEmbeddingCache
    from memory_server.services.embeddings import CachedEmbedder

    cache = DynamoDBEmbeddingCache(clients.embedding_cache, settings.require("embedding_cache_table"))
    return CachedEmbedder(embedder(settings, clients), cache, events)
