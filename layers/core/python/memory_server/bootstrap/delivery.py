"""What shows deliveries, and repeats them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.dynamodb_plugin_cache import DynamoDBPluginCache
    from memory_server.adapters.dynamodb_replays import DynamoDBReplays
    from memory_server.services.plugin_deliveries import PluginDeliveries
    from memory_server.services.plugin_ports import PluginRegistry
    from memory_server.services.plugin_replay import PluginReplays
    from memory_server.services.plugin_status import PluginStatusService
    from memory_server.services.publisher import Publisher


def plugin_cache(settings: Settings, clients: Clients) -> DynamoDBPluginCache:
    """Return what plugins keep for a while."""
    from memory_server.adapters.dynamodb_plugin_cache import DynamoDBPluginCache

    return DynamoDBPluginCache(clients.dynamodb, settings.require("embedding_cache_table"))


def replays(settings: Settings, clients: Clients) -> DynamoDBReplays:
    """Return the last replay of each plugin."""
    from memory_server.adapters.dynamodb_replays import DynamoDBReplays

    return DynamoDBReplays(clients.dynamodb, settings.require("plugins_table"))


def plugin_status(settings: Settings, clients: Clients, registry: PluginRegistry) -> PluginStatusService:
    """Return what looks after plugins."""
    from memory_server.adapters.sqs_plugin_queues import SqsPluginQueues
    from memory_server.services.plugin_status import PluginStatusService

    return PluginStatusService(registry, SqsPluginQueues(clients.sqs), replays(settings, clients))


def plugin_deliveries(
    settings: Settings, clients: Clients, registry: PluginRegistry, publisher: Publisher
) -> PluginDeliveries:
    """Return what shows deliveries, and makes one to try a plugin out."""
    from memory_server.adapters.dynamodb_delivery_log import DynamoDBDeliveryLog
    from memory_server.adapters.lambda_plugin_functions import LambdaPluginFunctions
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.plugin_deliveries import PluginDeliveries

    log = DynamoDBDeliveryLog(clients.dynamodb, settings.require("delivery_log_table"))
    return PluginDeliveries(registry, log, LambdaPluginFunctions(clients.plugin_functions), publisher, SystemClock())


def plugin_replays(settings: Settings, clients: Clients, registry: PluginRegistry) -> PluginReplays:
    """Return what accepts replays, which the relay does."""
    from memory_server.adapters.lambda_relay import LambdaRelay
    from memory_server.adapters.sqs_plugin_queues import SqsPluginQueues
    from memory_server.adapters.system_clock import SystemClock
    from memory_server.services.plugin_replay import PluginReplays

    return PluginReplays(
        registry,
        SqsPluginQueues(clients.sqs),
        replays(settings, clients),
        LambdaRelay(clients.functions, settings.require("relay_function")),
        SystemClock(),
    )
