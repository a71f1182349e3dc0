"""What forgets users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memory_server.bootstrap.parts import event_sequences, large_events
from memory_server.settings import Settings

if TYPE_CHECKING:
    from memory_server.adapters.aws import Clients
    from memory_server.repository.database import PostgresDatabase
    from memory_server.services.embeddings import CachedEmbedder
    from memory_server.services.erasure import Erasure
    from memory_server.services.plugin_ports import PluginRegistry, PluginSql


def erasure(
    settings: Settings,
    clients: Clients,
    database: PostgresDatabase,
    embeddings: CachedEmbedder,
    registry: PluginRegistry,
    plugin_sql: PluginSql,
) -> Erasure:
    """Return what forgets users: the memories first, so that nothing new comes of them."""
    from memory_server.services.erasure import Erasure, PluginTables

    return Erasure(
        [
            database,
            event_sequences(settings, clients),
            large_events(settings, clients),
            PluginTables(registry, plugin_sql),
            embeddings,
        ]
    )
