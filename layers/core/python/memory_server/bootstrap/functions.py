"""What runs behind the API: the relay, the gateway of plugins, the registrar."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from memory_server.bootstrap import delivery, plugins
from memory_server.bootstrap.parts import (
    cached_embedder,
    database,
    event_bus,
    event_sequences,
    large_events,
    plugin_registry,
    plugin_tasks,
    publisher,
    server_secret,
)
from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.cloudformation import CustomResources
    from memory_server.repository.administration import Administrator
    from memory_server.services.gateway import Gateway
    from memory_server.services.relay import Relay


@asynccontextmanager
async def relay(settings: Settings) -> AsyncGenerator[Relay]:
    """Give what functions/outbox_relay runs."""
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.sqs_dead_letters import SqsDeadLetters
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.outbox.postgres import PostgresArchive, PostgresBacklog
    from memory_server.repository import roles
    from memory_server.repository.pool import RolePool
    from memory_server.services.plugin_replay import Replayer
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
            Replayer(
                plugin_registry(settings, clients),
                delivery.replays(settings, clients),
                PostgresArchive(pool),
                SqsDeadLetters(clients.sqs),
                way,
            ),
            SystemClock(),
            retention=timedelta(days=settings.outbox_retention_days),
        )
    finally:
        await pool.close()


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncGenerator[Gateway]:
    """Give what functions/plugin_gateway runs."""
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.lambda_transfer_function import LambdaTransferFunction
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.repository.plugin_sql import PostgresPluginSql
    from memory_server.services.events import Events
    from memory_server.services.gateway import Gateway
    from memory_server.services.gateway_operations import MemoryOperations, OwnOperations
    from memory_server.services.memories import MemoryService
    from memory_server.services.plugin_operations import CacheOperations, HostOperations
    from memory_server.services.search import SearchService
    from memory_server.services.sequencing import Sequencer
    from memory_server.services.switch_off import SwitchOff
    from memory_server.services.task_operations import TaskOperations
    from memory_server.services.transfer_operations import TransferOperations

    clients = Clients()
    secret = server_secret(settings, clients)
    storage = database(settings, secret)
    plugin_sql = PostgresPluginSql(
        settings.require("database_host"), settings.database_port, settings.database_name, server_secret=secret.value
    )
    publishing = publisher(settings, clients, secret)
    pending = Events(publishing, storage)
    embeddings = cached_embedder(settings, clients, pending)
    memories = MemoryService(storage, embeddings, pending)
    search = SearchService(storage, embeddings, pending)
    registry = plugin_registry(settings, clients)
    sequencer = Sequencer(event_sequences(settings, clients), publishing, SystemClock())
    switch_off = SwitchOff(
        registry,
        plugins.plugin_lifecycle(settings, clients, registry, publishing),
        event_bus(settings, clients),
        SystemClock(),
        limit=settings.failure_limit,
    )
    tasks = plugin_tasks(settings, clients, secret, large_events(settings, clients))
    transfers = LambdaTransferFunction(clients.functions, settings.bulk_transfer_function)
    operations = {
        **MemoryOperations(memories, search).table(),
        **OwnOperations(plugin_sql, embeddings).table(),
        **CacheOperations(delivery.plugin_cache(settings, clients)).table(),
        **TaskOperations(tasks, storage).table(),
        **TransferOperations(transfers, tasks).table(),
        **HostOperations(sequencer, switch_off).table(),
    }
    try:
        yield Gateway(registry, storage, operations, pending, secret.grant_key(), SystemClock())
    finally:
        await plugin_sql.close()
        await storage.close()


def registrar(settings: Settings) -> CustomResources:
    """Return what functions/registrar runs. What it needs is built when it is asked, so that faults are answered."""
    from memory_server.adapters.cloudformation import CustomResources, Resource

    def resources() -> Mapping[str, Resource]:
        from memory_server.adapters.aws import Clients
        from memory_server.adapters.stack_resources import DatabaseSchemaResource, PluginRegistrationResource
        from memory_server.repository.administration import prepare_database
        from memory_server.repository.plugin_schemas import PostgresPluginSchemas

        clients = Clients()
        secret = server_secret(settings, clients).value
        admin = administrator(settings, clients)
        registry, schemas = plugin_registry(settings, clients), PostgresPluginSchemas(admin, server_secret=secret)
        registration = plugins.registration(settings, clients, registry, schemas)
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
