"""What forgets users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory_server.bootstrap.parts import erasures, event_sequences, large_events
from memory_server.bootstrap.sign_in import key_store
from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.adapters.dynamodb_plugins import DynamoDBPluginRegistry
    from memory_server.repository.database import PostgresDatabase
    from memory_server.services.embeddings import CachedEmbedder
    from memory_server.services.erasure import Erasure
    from memory_server.services.plugin_ports import PluginSql
    from memory_server.services.sign_in import SignIn


def erasure(
    settings: Settings,
    clients: Clients,
    database: PostgresDatabase,
    embeddings: CachedEmbedder,
    registry: DynamoDBPluginRegistry,
    plugin_sql: PluginSql,
    signing_in: SignIn,
) -> Erasure:
    """Return what forgets users."""
    from memory_server.adapters.dynamodb_cache import DynamoDBCache
    from memory_server.adapters.dynamodb_delivery_log import DynamoDBDeliveryLog
    from memory_server.adapters.s3_user_files import S3UserFiles
    from memory_server.adapters.sqs_dead_letters import SqsDeadLetters
    from memory_server.services.erasure import Erasure, PluginDeadLetters, PluginTables, UserKeys

    places = [
        event_sequences(settings, clients),
        large_events(settings, clients),
        PluginTables(database, plugin_sql),
        S3UserFiles(clients.s3, settings.require("files_bucket")),
        embeddings,
        DynamoDBCache(clients.dynamodb, settings.require("embedding_cache_table")),
        PluginDeadLetters(registry, SqsDeadLetters(clients.sqs)),
        # Last of these: an index that is a moment behind leads to what hosts wrote.
        registry,
        DynamoDBDeliveryLog(clients.dynamodb, settings.require("delivery_log_table")),
    ]
    return Erasure(database, erasures(settings, clients), places, UserKeys(key_store(settings, clients), signing_in))
