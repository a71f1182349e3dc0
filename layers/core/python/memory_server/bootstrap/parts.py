"""The parts that more than one function of the server is built from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.dynamodb_erasures import DynamoDBErasures
    from memory_server.adapters.dynamodb_plugins import DynamoDBPluginRegistry
    from memory_server.adapters.dynamodb_sequences import DynamoDBEventSequences
    from memory_server.adapters.eventbridge_bus import EventBridgeBus
    from memory_server.adapters.large_events import LargeEvents
    from memory_server.adapters.onnx_embedder import OnnxEmbedder
    from memory_server.adapters.server_secret import ServerSecret
    from memory_server.repository.database import PostgresDatabase
    from memory_server.repository.plugin_sql import PostgresPluginSql
    from memory_server.services.embeddings import CachedEmbedder
    from memory_server.services.events import Events
    from memory_server.services.plugin_tasks import PluginTasks
    from memory_server.services.ports import Embedder
    from memory_server.services.publisher import Publisher


def local_embedder(settings: Settings) -> OnnxEmbedder:
    """Return the embedder that serves the model in ``model_path`` in this process."""
    from memory_server.adapters.onnx_embedder import OnnxEmbedder

    return OnnxEmbedder(Path(settings.require("model_path")))


def embedder(settings: Settings, clients: Clients) -> Embedder:
    """Return the embedder of this process where it has a model, else the one in a Lambda of its own."""
    if settings.model_path and (Path(settings.model_path) / "modules.json").exists():
        # What sentence-transformers saved, for a model that has no export.
        from memory_server.adapters.sentence_transformers_embedder import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(Path(settings.model_path))
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


def server_secret(settings: Settings, clients: Clients) -> ServerSecret:
    """Return the server's secret, read now."""
    from memory_server.adapters.server_secret import ServerSecret

    return ServerSecret.read(clients.secrets, settings.require("server_secret_arn"))


def database(settings: Settings, secret: ServerSecret) -> PostgresDatabase:
    """Return the database as the role that row-level security confines."""
    from memory_server.repository import roles
    from memory_server.repository.database import PostgresDatabase

    return PostgresDatabase(
        settings.require("database_host"),
        settings.database_port,
        settings.database_name,
        secret.role_password(roles.APP),
        settings.database_pool_size,
    )


def plugin_tasks(
    settings: Settings, clients: Clients, secret: ServerSecret, waiting: LargeEvents | None = None
) -> PluginTasks:
    """Return what starts tasks of plugins; the arguments of those that wait are kept in ``waiting``."""
    from memory_server.adapters.sqs_task_queues import SqsTaskQueues
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.plugin_tasks import PluginTasks

    registry = plugin_registry(settings, clients)
    return PluginTasks(registry, SqsTaskQueues(clients.sqs), waiting, secret.grant_key(), SystemClock())


def plugin_sql(settings: Settings, secret: ServerSecret) -> PostgresPluginSql:
    """Return what runs SQL in the schemas of plugins."""
    from memory_server.repository.plugin_sql import PostgresPluginSql

    return PostgresPluginSql(
        settings.require("database_host"),
        settings.database_port,
        settings.database_name,
        server_secret=secret.value,
    )


def event_bus(settings: Settings, clients: Clients) -> EventBridgeBus:
    """Return the bus, and the bucket for what is too large for it."""
    from memory_server.adapters.eventbridge_bus import EventBridgeBus

    return EventBridgeBus(clients.events, settings.require("event_bus"), large_events(settings, clients))


def large_events(settings: Settings, clients: Clients) -> LargeEvents:
    """Return the bucket for what is too large for the bus, and for an item of DynamoDB."""
    from memory_server.adapters.large_events import LargeEvents

    return LargeEvents(clients.s3, settings.require("events_bucket"), erasures(settings, clients))


def event_sequences(settings: Settings, clients: Clients) -> DynamoDBEventSequences:
    """Return the events that are on their way to plugins of several priorities."""
    from memory_server.adapters.dynamodb_sequences import DynamoDBEventSequences

    return DynamoDBEventSequences(
        clients.dynamodb,
        settings.require("sequences_table"),
        large_events(settings, clients),
        erasures(settings, clients),
    )


def erasures(settings: Settings, clients: Clients) -> DynamoDBErasures:
    """Return who was erased."""
    from memory_server.adapters.dynamodb_erasures import DynamoDBErasures

    return DynamoDBErasures(clients.dynamodb, settings.require("erasures_table"))


def publisher(settings: Settings, clients: Clients, secret: ServerSecret) -> Publisher:
    """Return the way from an event to the plugins that want it."""
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.publisher import Publisher

    return Publisher(
        plugin_registry(settings, clients),
        event_bus(settings, clients),
        event_sequences(settings, clients),
        secret.grant_key(),
        SystemClock(),
    )


def plugin_registry(settings: Settings, clients: Clients) -> DynamoDBPluginRegistry:
    """Return the registry of plugins."""
    from memory_server.adapters.dynamodb_plugins import DynamoDBPluginRegistry

    return DynamoDBPluginRegistry(clients.dynamodb, settings.require("plugins_table"))
