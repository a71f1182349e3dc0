"""For the tests of plugin authors: fakes of the services, a context, and ``fire`` to call a hook as the host would.

async def test_a_new_memory_is_counted() -> None:
    database = FakeDatabaseService()
    await fire(plugin, "memory_created", Memory(id="1", content="..."), context=make_context(database_service=database))
    assert "INSERT" in database.statements[0].sql
"""

from __future__ import annotations

from plugin_kit.testing.fake_files import FakeFiles
from plugin_kit.testing.fake_memories import FakeMemoryService, StartedTask
from plugin_kit.testing.fakes import FakeCacheService, FakeDatabaseService, FakeEmbeddingService, Statement
from plugin_kit.testing.fire import fire, fire_endpoint, fire_task, make_context
from plugin_kit.testing.service import LoadedPlugin, PluginService

__all__ = [
    "FakeCacheService",
    "FakeDatabaseService",
    "FakeEmbeddingService",
    "FakeFiles",
    "FakeMemoryService",
    "LoadedPlugin",
    "PluginService",
    "StartedTask",
    "Statement",
    "fire",
    "fire_endpoint",
    "fire_task",
    "make_context",
]
