"""The composition root: the one place that names concrete classes. Each function builds what it needs, and no more.

Imports stand inside the builders: a function's package brings what its own builder imports, and it starts the sooner.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.cloudformation import CustomResources
    from memory_server.adapters.dynamodb_plugins import DynamoDBPluginRegistry
    from memory_server.adapters.dynamodb_sequences import DynamoDBEventSequences
    from memory_server.adapters.eventbridge_bus import EventBridgeBus
    from memory_server.adapters.large_events import LargeEvents
    from memory_server.adapters.onnx_embedder import OnnxEmbedder
    from memory_server.adapters.server_secret import ServerSecret
    from memory_server.repository.administration import Administrator
    from memory_server.repository.database import PostgresDatabase
    from memory_server.services.embeddings import CachedEmbedder
    from memory_server.services.events import Events
    from memory_server.services.gateway import Gateway
    from memory_server.services.health import HealthService
    from memory_server.services.memories import MemoryService
    from memory_server.services.plugins import PluginService
    from memory_server.services.ports import Database, Embedder, Health
    from memory_server.services.publisher import Publisher
    from memory_server.services.relay import Relay
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


def events(settings: Settings, clients: Clients, secret: ServerSecret, database: Database) -> Events:
    """Return the events of this process, on their way to the bus."""
    from memory_server.services.events import Events

    return Events(publisher(settings, clients, secret), database)


def event_bus(settings: Settings, clients: Clients) -> EventBridgeBus:
    """Return the bus, and the bucket for what is too large for it."""
    from memory_server.adapters.eventbridge_bus import EventBridgeBus

    return EventBridgeBus(clients.events, settings.require("event_bus"), large_events(settings, clients))


def large_events(settings: Settings, clients: Clients) -> LargeEvents:
    """Return the bucket for what is too large for the bus, and for an item of DynamoDB."""
    from memory_server.adapters.large_events import LargeEvents

    return LargeEvents(clients.s3, settings.require("events_bucket"))


def event_sequences(settings: Settings, clients: Clients) -> DynamoDBEventSequences:
    """Return the events that are on their way to plugins of several priorities."""
    from memory_server.adapters.dynamodb_sequences import DynamoDBEventSequences

    return DynamoDBEventSequences(
        clients.dynamodb, settings.require("sequences_table"), large_events(settings, clients)
    )


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


@asynccontextmanager
async def relay(settings: Settings) -> AsyncGenerator[Relay]:
    """Give what functions/outbox_relay runs."""
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.outbox.postgres import PostgresBacklog
    from memory_server.repository import roles
    from memory_server.repository.pool import RolePool
    from memory_server.services.relay import Relay
    from memory_server.services.sequencing import Sequencer

    clients = Clients()
    secret = server_secret(settings, clients)
    pool = RolePool(
        settings.require("database_host"),
        settings.database_port,
        settings.database_name,
        user=roles.RELAY,
        password=secret.role_password(roles.RELAY),
        size=1,
    )
    try:
        way = publisher(settings, clients, secret)
        yield Relay(
            PostgresBacklog(pool),
            way,
            Sequencer(event_sequences(settings, clients), way, SystemClock()),
            SystemClock(),
            retention=timedelta(days=settings.outbox_retention_days),
        )
    finally:
        await pool.close()


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncGenerator[Gateway]:
    """Give what functions/plugin_gateway runs."""
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.repository.plugin_sql import PostgresPluginSql
    from memory_server.services.gateway import Gateway
    from memory_server.services.gateway_operations import MemoryOperations, OwnOperations
    from memory_server.services.memories import MemoryService
    from memory_server.services.search import SearchService

    clients = Clients()
    secret = server_secret(settings, clients)
    storage = database(settings, secret)
    plugin_sql = PostgresPluginSql(
        settings.require("database_host"), settings.database_port, settings.database_name, server_secret=secret.value
    )
    pending = events(settings, clients, secret, storage)
    embeddings = cached_embedder(settings, clients, pending)
    memories = MemoryService(storage, embeddings, pending)
    search = SearchService(storage, embeddings, pending)
    operations = {**MemoryOperations(memories, search).table(), **OwnOperations(plugin_sql, embeddings).table()}
    try:
        yield Gateway(plugin_registry(settings, clients), operations, pending, secret.grant_key(), SystemClock())
    finally:
        await plugin_sql.close()
        await storage.close()


def registrar(settings: Settings) -> CustomResources:
    """Return what functions/registrar runs. What it needs is built when it is asked, so that faults are answered."""
    from memory_server.adapters.cloudformation import CustomResources, Resource

    def resources() -> Mapping[str, Resource]:
        from memory_server.adapters.aws import Clients
        from memory_server.adapters.lambda_plugin_functions import LambdaPluginFunctions
        from memory_server.adapters.stack_resources import DatabaseSchemaResource, PluginRegistrationResource
        from memory_server.adapters.system_clock import SystemClock
        from memory_server.repository.administration import prepare_database
        from memory_server.repository.plugin_schemas import PostgresPluginSchemas
        from memory_server.services.registration import RegistrationService

        clients = Clients()
        secret = server_secret(settings, clients).value
        admin = administrator(settings, clients)
        registration = RegistrationService(
            plugin_registry(settings, clients),
            LambdaPluginFunctions(clients.functions),
            PostgresPluginSchemas(admin, server_secret=secret),
            SystemClock(),
        )
        return {
            "Custom::DatabaseSchema": DatabaseSchemaResource(partial(prepare_database, admin, server_secret=secret)),
            "Custom::PluginRegistration": PluginRegistrationResource(registration),
        }

    return CustomResources(resources)


def administrator(settings: Settings, clients: Clients) -> Administrator:
    """Return how the database's administrator logs in; the secret is read now."""
    from memory_server.repository.administration import Administrator

    secret = clients.secrets.get_secret_value(SecretId=settings.require("database_admin_secret_arn"))
    credentials = json.loads(secret["SecretString"])
    return Administrator(
        host=settings.require("database_host"),
        port=settings.database_port,
        name=settings.database_name,
        user=credentials["username"],
        password=credentials["password"],
    )


def api(settings: Settings) -> Api:
    """Return what the HTTP API serves. It asks for the server's secret: call it once, at a cold start."""
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.sqs_plugin_queues import SqsPluginQueues
    from memory_server.services.health import HealthService
    from memory_server.services.memories import MemoryService
    from memory_server.services.plugins import PluginService
    from memory_server.services.search import SearchService

    clients = Clients()
    secret = server_secret(settings, clients)
    storage = database(settings, secret)
    registry = plugin_registry(settings, clients)
    pending = events(settings, clients, secret, storage)
    embeddings = cached_embedder(settings, clients, pending)
    parts: dict[str, Health] = {
        "database": storage,
        "embedder": embeddings,
        "bus": event_bus(settings, clients),
        "state": registry,
    }

    async def warm() -> None:
        # Where a part does not answer yet, the requests that need it will say so.
        await asyncio.gather(*(part.ping() for part in parts.values()), return_exceptions=True)

    return Api(
        memories=MemoryService(storage, embeddings, pending),
        search=SearchService(storage, embeddings, pending),
        plugins=PluginService(registry, SqsPluginQueues(clients.sqs)),
        health=HealthService(parts, pending),
        events=pending,
        warm=warm,
        close=storage.close,
    )
