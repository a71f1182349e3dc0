"""A job goes on where it stopped, whatever was lost, killed or delivered twice, and never does a thing twice."""

from __future__ import annotations

from typing import cast

import pytest

from plugin_kit.json_types import JsonObject
from plugin_kit.testing import FakeFiles, fire_task
from plugins.export_service import plugin
from tests.plugins.export_service.conftest import some_memories
from tests.plugins.export_service.server import Server

EXPORT: JsonObject = {"format": "jsonl", "compression": "gzip"}


class FullFiles(FakeFiles):
    """Files on a disk that is full."""

    async def write(self, name: str, data: bytes) -> None:
        raise OSError(f"the disk is full: {name} has {len(data)} bytes")


async def age(server: Server) -> None:
    """Let it be an hour later for all jobs."""
    await server.database.execute("UPDATE jobs SET updated_at = updated_at - interval '1 hour'")


async def started(server: Server, kind: str, body: JsonObject) -> str:
    response = await server.ask("POST", f"/{kind}", body)
    assert response.status == 202, response.body
    return f"/{kind}/{cast(JsonObject, response.body)['id']}"


@pytest.mark.parametrize("done", range(5))
async def test_an_export_whose_task_is_lost_is_taken_up_when_it_is_asked_for(server: Server, done: int) -> None:
    path = await started(server, "exports", EXPORT)
    for _ in range(done):
        await server.run_one()
    server.memories.started.clear()
    await server.get(path)
    assert server.memories.started == []  # it may be at work still
    await age(server)
    assert (await server.get(path))["state"] != "done"
    await server.run()
    assert (await server.get(path))["state"] == "done"


@pytest.mark.parametrize("done", range(3))
async def test_an_import_whose_task_is_lost_is_taken_up_by_the_schedule(server: Server, done: int) -> None:
    export = await server.finished("exports", EXPORT)
    server.memories.memories.clear()
    path = await started(server, "imports", {"export_id": export["id"]})
    for _ in range(done):
        await server.run_one()
    server.memories.started.clear()
    await age(server)
    await plugin.look_after(server.context)
    assert [task.task for task in server.memories.started] == ["take_up"]
    await server.run()
    done_import = await server.get(path)
    assert (done_import["state"], done_import["created"]) == ("done", len(some_memories()))
    assert list(server.memories.memories.values()) == some_memories()


async def test_a_schedule_with_nothing_to_do_wakes_nobody(server: Server) -> None:
    await server.finished("exports", EXPORT)
    await plugin.look_after(server.context)
    assert server.memories.started == []


async def test_tasks_that_come_twice_do_nothing_twice(server: Server) -> None:
    export = await server.finished("exports", EXPORT)
    server.memories.memories.clear()
    path = await started(server, "imports", {"export_id": export["id"]})
    while server.memories.started:
        task = server.memories.started[0]
        await server.run_one()
        following = list(server.memories.started)
        await fire_task(plugin, task.task, task.arguments, server.context)
        assert server.memories.started == following
    done = await server.get(path)
    assert (done["created"], done["skipped"]) == (len(some_memories()), 0)


async def test_a_step_that_fails_is_tried_again_and_given_up_in_the_end(server: Server) -> None:
    path = await started(server, "exports", EXPORT)
    await server.run_one()
    (task,) = server.memories.started
    server.database.files = FullFiles(server.database.files.contents)
    for _ in range(9):
        with pytest.raises(OSError, match="the disk is full"):
            await fire_task(plugin, task.task, task.arguments, server.context)
        assert (await server.get(path))["state"] == "writing"
    with pytest.raises(OSError, match="the disk is full"):
        await fire_task(plugin, task.task, task.arguments, server.context)
    failed = await server.get(path)
    assert failed["state"] == "failed"
    assert "the last time with OSError('the disk is full" in str(cast(JsonObject, failed["error"])["message"])


async def test_an_export_whose_parts_are_gone_says_so(server: Server) -> None:
    path = await started(server, "exports", EXPORT)
    await server.run_one()
    server.database.files.contents.clear()
    await server.run()
    assert "start it again" in str((await server.get(path))["error"])


async def test_an_expired_export_goes_with_its_files(server: Server) -> None:
    export = await server.finished("exports", EXPORT)
    await plugin.look_after(server.context)
    assert (await server.get(f"/exports/{export['id']}"))["state"] == "done"
    other = Server(server.database, "other")
    await server.database.execute("UPDATE jobs SET expires_at = now() - interval '1 second'")
    await fire_task(plugin, "take_up", {}, other.context)
    assert (await server.get(f"/exports/{export['id']}"))["state"] == "done"
    await plugin.look_after(server.context)
    await server.run()
    assert (await server.ask("GET", f"/exports/{export['id']}")).status == 404
    assert [name for name in server.database.files.contents if name.startswith("exports/")] == []


async def test_jobs_of_others_are_not_taken_up_in_ones_name(server: Server) -> None:
    await started(server, "exports", EXPORT)
    await age(server)
    other = Server(server.database, "other")
    await fire_task(plugin, "take_up", {}, other.context)
    assert other.memories.started == []
