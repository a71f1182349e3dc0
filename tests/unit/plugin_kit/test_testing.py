"""The fakes do what the services promise, and ``fire`` refuses what the host would refuse."""

from __future__ import annotations

import math
from types import ModuleType

import pytest

from plugin_kit.context import Context
from plugin_kit.errors import InvalidPlugin, PermissionRefused, ServiceFailed
from plugin_kit.models import Memory
from plugin_kit.testing import (
    FakeCacheService,
    FakeDatabaseService,
    FakeEmbeddingService,
    FakeMemoryService,
    Statement,
    fire,
    make_context,
)

MEMORY = Memory(id="1", content="The cat sleeps.", project="home")


async def memory_created(memory: Memory, context: Context) -> None:
    await context["cache_service"].set(memory.id, context["metadata"]["hook"])


def plugin(hooks: list[str], permissions: tuple[str, ...] = ()) -> ModuleType:
    made = ModuleType("plugin")
    info = {"name": "P", "version": "1.0", "description": "d", "author": "a", "hooks": hooks}
    made.__dict__["PLUGIN_INFO"] = {**info, "permissions": list(permissions)}
    made.__dict__["memory_created"] = memory_created
    return made


async def test_fire_calls_the_hook_with_the_context_that_is_given() -> None:
    cache = FakeCacheService()
    made = plugin(["memory_created"], permissions=("cache",))
    await fire(made, "memory_created", MEMORY, context=make_context(cache_service=cache))
    assert cache.values == {"1": "memory_created"}


async def test_fire_refuses_a_service_that_the_plugin_has_no_permission_for() -> None:
    with pytest.raises(PermissionRefused, match="set needs the permission cache"):
        await fire(plugin(["memory_created"]), "memory_created", MEMORY)


async def test_fire_refuses_a_plugin_that_the_host_would_refuse() -> None:
    with pytest.raises(InvalidPlugin, match="memory_created is defined but not listed"):
        await fire(plugin([]), "memory_created", MEMORY)


async def test_fire_refuses_a_hook_that_the_plugin_does_not_have() -> None:
    with pytest.raises(LookupError, match="the plugin has no hook 'memory_deleted'"):
        await fire(plugin(["memory_created"]), "memory_deleted", "1")


def test_a_context_has_the_keys_of_the_specification_alone() -> None:
    assert list(make_context()) == [
        "plugin_name",
        "server_config",
        "logger",
        "memory_service",
        "database_service",
        "embedding_service",
        "cache_service",
        "user_id",
        "session_id",
        "project",
        "metadata",
    ]
    with pytest.raises(TypeError, match="a context has no key 'memory'"):
        make_context(memory=FakeMemoryService())


async def test_memories_are_kept_found_changed_and_deleted() -> None:
    service = FakeMemoryService([MEMORY])
    created = await service.create("The dog barks.", tags=["dog"], allow_duplicate=True)
    assert [result.memory for result in await service.search("DOG")] == [created]
    assert await service.list() == [created, MEMORY]
    assert await service.list("home") == [MEMORY]
    assert (await service.update("1", content="It woke.")).version == 2
    await service.delete("1")
    with pytest.raises(ServiceFailed, match="there is no memory 1"):
        await service.get("1")


async def test_statements_are_recorded_and_answered_in_order() -> None:
    database = FakeDatabaseService(answers=[[{"n": 1}]])
    assert await database.query("SELECT %s", [1]) == [{"n": 1}]
    assert await database.execute("DELETE FROM t") == []
    assert database.statements == [Statement("SELECT %s", (1,)), Statement("DELETE FROM t", ())]


async def test_vectors_are_of_unit_length_and_the_same_for_the_same_text() -> None:
    one, other = await FakeEmbeddingService(8).embed(["cat", "cat"])
    assert one == other
    assert math.hypot(*one) == 1


async def test_a_cached_value_can_be_deleted() -> None:
    cache = FakeCacheService()
    await cache.set("key", 1)
    await cache.delete("key")
    assert await cache.get("key") is None
