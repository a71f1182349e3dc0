"""The fakes of tasks, files and bulk transfers do what the services promise."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import ModuleType

import pytest

from plugin_kit.context import Context
from plugin_kit.errors import PermissionRefused, ServiceFailed
from plugin_kit.json_types import JsonObject, dumps
from plugin_kit.models import Memory
from plugin_kit.testing import FakeDatabaseService, FakeFiles, FakeMemoryService, fire_task, make_context

CAT = Memory(id="1", content="The cat sleeps.", project="home", created_at=datetime(2026, 11, 22, tzinfo=UTC))
DOG = Memory(id="2", content="The dog\u2028barks.", created_at=datetime(2026, 11, 23, tzinfo=UTC))


async def go_on(arguments: JsonObject, context: Context) -> object:
    if arguments.get("link"):
        return await context["database_service"].files.link("a.txt")
    await context["memory_service"].later(str(arguments["next"]), {"from": context["metadata"]["hook"]})
    return arguments


def plugin(permissions: tuple[str, ...] = ()) -> ModuleType:
    made = ModuleType("plugin")
    info = {"name": "P", "version": "1.0", "description": "d", "author": "a", "hooks": [], "tasks": ["go_on"]}
    made.__dict__["PLUGIN_INFO"] = {**info, "permissions": list(permissions)}
    made.__dict__["go_on"] = go_on
    return made


async def test_a_task_is_called_and_can_start_the_next() -> None:
    memories = FakeMemoryService()
    context = make_context(memory_service=memories)
    assert await fire_task(plugin(), "go_on", {"next": "go_on"}, context) == {"next": "go_on"}
    assert memories.started == [("go_on", {"from": "go_on"}, 0)]


async def test_a_task_that_is_not_listed_is_neither_called_nor_started() -> None:
    with pytest.raises(LookupError, match="the plugin has no task 'stop'"):
        await fire_task(plugin(), "stop")
    with pytest.raises(ServiceFailed, match="later: the plugin has no task 'stop'"):
        await fire_task(plugin(), "go_on", {"next": "stop"})


async def test_arguments_that_could_not_be_sent_are_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        await fire_task(plugin(), "go_on", {"next": datetime.now(UTC)})  # pyright: ignore[reportArgumentType]  # the fault


async def test_files_need_their_permission() -> None:
    with pytest.raises(PermissionRefused, match="files needs the permission files"):
        await fire_task(plugin(), "go_on", {"link": True})
    assert str(await fire_task(plugin(("files",)), "go_on", {"link": True})).startswith("https://")


async def test_files_are_written_read_measured_and_deleted() -> None:
    files = FakeFiles()
    await files.write("a.txt", b"one")
    async with files.writer("b/large.txt") as out:
        await out.write(b"two ")
        assert await out.copy("a.txt") == 3
        await out.write(b" three")
    assert (await files.read("b/large.txt"), await files.size("a.txt")) == (b"two one three", 3)
    assert await files.read("b/large.txt", start=4, end=7) == b"one"
    await files.delete("a.txt")
    assert await files.size("a.txt") is None
    with pytest.raises(FileNotFoundError, match=r"there is no file a\.txt"):
        await files.read("a.txt")


async def _write_half(files: FakeFiles) -> None:
    async with files.writer("a.txt") as out:
        await out.write(b"half")
        raise TypeError


async def test_a_file_whose_writer_fails_is_not_there() -> None:
    files = FakeFiles()
    with pytest.raises(TypeError):
        await _write_half(files)
    assert files.contents == {}


@pytest.mark.parametrize("name", ["", "/a", "a/../b", "a b", "\u00e4", "a" * 513, "a\n"])
async def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a file"):
        await FakeFiles().write(name, b"")


async def test_memories_are_counted_by_what_is_asked() -> None:
    service = FakeMemoryService([CAT, DOG])
    assert await service.count() == [{"count": 2}]
    assert await service.count(["day", "project"], project="home") == [
        {"day": "2026-11-22", "project": "home", "count": 1}
    ]
    await service.delete("2")
    assert await service.count(deleted=True) == [{"count": 1}]
    assert await service.count(["born"], since=datetime(2026, 11, 23, tzinfo=UTC)) == [
        {"born": "2026-11-23", "count": 1}
    ]
    with pytest.raises(ServiceFailed, match="'week' is none of"):
        await service.count(["week"])


async def test_the_next_page_comes_after_a_memory() -> None:
    assert await FakeMemoryService([CAT, DOG]).list(after=DOG) == [CAT]


async def test_every_user_gets_a_task() -> None:
    service = FakeMemoryService(users=["ann", "bob"])
    assert await service.for_every_user("go_on") == 2
    assert [started.task for started in service.started] == ["go_on", "go_on"]


async def test_a_snapshot_can_be_loaded_into_an_empty_server() -> None:
    database = FakeDatabaseService()
    full, empty = FakeMemoryService([CAT, DOG]), FakeMemoryService()
    make_context(memory_service=full, database_service=database)
    make_context(memory_service=empty, database_service=database)
    await full.update("1", content="The cat woke.")
    await full.snapshot("stored", {"id": "b"}, history=True, embeddings=True)
    manifest = json.loads(dumps(full.started[0].arguments["snapshot"]))
    assert (manifest["memories"], manifest["versions"], manifest["error"]) == (2, 1, None)
    parts = [part["name"] for part in manifest["parts"]]
    await empty.load("key", parts, "loaded")
    assert empty.memories == full.memories
    assert empty.versions == full.versions
    await empty.load("key", parts, "loaded")
    loads = [json.loads(dumps(started.arguments["load"])) for started in empty.started]
    assert [load["created"] for load in loads] == [2, 2]


@pytest.mark.parametrize(
    ("conflict", "counts", "contents"),
    [
        ("skip", {"skipped": 1}, ["The cat sleeps."]),
        ("overwrite", {"updated": 1}, ["The cat woke."]),
        ("duplicate", {"created": 1}, ["The cat sleeps.", "The cat woke."]),
    ],
)
async def test_a_conflict_is_settled_as_asked(conflict: str, counts: dict[str, int], contents: list[str]) -> None:
    service = FakeMemoryService([CAT])
    service.files.contents["part"] = dumps({**CAT.to_dict(), "content": "The cat woke."}).encode()
    await service.load("key", ["part"], "loaded", conflict=conflict)  # pyright: ignore[reportArgumentType]
    load = json.loads(dumps(service.started[0].arguments["load"]))
    assert {name: number for name, number in load.items() if name in counts} == counts
    assert [memory.content for memory in service.memories.values()] == contents


async def test_a_malformed_line_refuses_all_and_is_named() -> None:
    service = FakeMemoryService()
    service.files.contents["part"] = b'{"content": "right"}\n{"text": "wrong"}\n'
    await service.load("key", ["part"], "loaded")
    error = json.loads(dumps(service.started[0].arguments["load"]))["error"]
    assert (error["part"], error["line"]) == ("part", 2)
    assert service.memories == {}
