"""What a test is refused is what the gateway refuses."""

from __future__ import annotations

from typing import cast

from memory_server.services.delivery_ports import PluginCache
from memory_server.services.gateway_operations import MemoryOperations, OwnOperations
from memory_server.services.memories import MemoryService
from memory_server.services.plugin_operations import CacheOperations
from memory_server.services.plugin_ports import PluginSql
from memory_server.services.plugin_tasks import PluginTasks
from memory_server.services.ports import Embedder
from memory_server.services.search import SearchService
from memory_server.services.task_operations import TaskOperations, Users
from memory_server.services.transfer_operations import TransferOperations
from memory_server.services.transfer_ports import TransferFunction
from plugin_kit import context
from plugin_kit.testing.permissions import PERMISSIONS

PROTOCOLS = {
    "memory_service": context.MemoryService,
    "database_service": context.DatabaseService,
    "embedding_service": context.EmbeddingService,
    "cache_service": context.CacheService,
}


def test_every_method_of_every_service_has_its_permission() -> None:
    methods = {key: {name for name in vars(kind) if not name.startswith("_")} for key, kind in PROTOCOLS.items()}
    assert {key: set(needs) for key, needs in PERMISSIONS.items()} == methods


def test_the_permissions_are_those_of_the_gateway() -> None:
    # No operation is run, so nothing stands behind them.
    tables = (
        MemoryOperations(cast(MemoryService, None), cast(SearchService, None)).table(),
        OwnOperations(cast(PluginSql, None), cast(Embedder, None)).table(),
        CacheOperations(cast(PluginCache, None)).table(),
        TaskOperations(cast(PluginTasks, None), cast(Users, None)).table(),
        TransferOperations(cast(TransferFunction, None), cast(PluginTasks, None)).table(),
    )
    gateway = {name: operation.permissions for table in tables for name, operation in table.items()}
    of_kit = {
        f"{key.removesuffix('_service')}.{method}": permissions
        for key, needs in PERMISSIONS.items()
        for method, permissions in needs.items()
    }
    del of_kit["database.files"]  # S3's, not the gateway's
    assert of_kit == gateway
