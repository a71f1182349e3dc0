"""What is backed up comes back: wholly, as it was, and for nobody else."""

from __future__ import annotations

from typing import cast

from plugin_kit.json_types import JsonObject
from plugin_kit.manifest import verify
from plugin_kit.models import Memory
from plugin_kit.testing import FakeMemoryService
from plugins.backup_manager import plugin
from tests.plugins.backup_manager.desk import KEY, Desk, some_memories


def test_the_plugin_keeps_its_contract() -> None:
    info = verify("backup_manager", plugin)
    assert info.hooks == ()
    assert {str(endpoint["method"]) for endpoint in info.endpoints} == {"GET", "POST", "DELETE"}


async def test_everything_comes_back_after_all_was_lost(desk: Desk) -> None:
    desk.memories = FakeMemoryService(some_memories(5))
    desk.memories.files = desk.files
    await desk.memories.update("memory-1", content="Fact number one, corrected.", tags=["people"])
    await desk.memories.delete("memory-4")
    before, history = dict(desk.memories.memories), list(desk.memories.versions)

    backup_id = await desk.back_up()
    desk.memories = FakeMemoryService()
    desk.memories.files = desk.files
    run = await desk.run(backup_id, "restore")

    assert run["state"] == "complete"
    assert run["result"] == {"created": 4, "updated": 0, "skipped": 0, "unchanged": 0, "versions": 2}
    assert desk.memories.memories == before
    assert desk.memories.versions == history


async def test_a_backup_shows_what_is_in_it_and_how_far_it_is(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories(3)}
    response = await desk.ask("POST", "/backups")
    backup_id = str(cast(JsonObject, response.body)["id"])
    begun = await desk.backup(backup_id)
    await desk.work()
    done = await desk.backup(backup_id)

    assert response.headers["Location"] == f"/plugins/backup_manager/backups/{backup_id}"
    assert begun["state"] == "reading"
    assert (done["state"], done["memories"], done["versions"]) == ("complete", 3, 0)
    progress = cast("dict[str, int]", done["progress"])
    assert (progress["parts"], progress["parts_stored"]) == (1, 1)
    assert progress["bytes_done"] == progress["bytes"] > 0
    assert await desk.get("/backups") == {
        "backups": [{name: value for name, value in done.items() if name not in {"progress", "runs"}}]
    }


async def test_what_is_stored_is_compressed_and_tells_nothing(desk: Desk) -> None:
    secret = "The vault is behind the picture. " * 400
    desk.memories.memories["1"] = Memory(id="1", content=secret)
    backup_id = await desk.back_up()
    stored = desk.files.contents

    (part,) = desk.part_names(backup_id)
    assert len(stored[part]) < len(secret)
    assert not [name for name, data in stored.items() if b"vault" in data or KEY.encode() in data]


async def test_nothing_that_was_read_for_a_backup_lies_around_unencrypted(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}
    backup_id = await desk.back_up()
    await desk.run(backup_id, "restore", {"conflict": "overwrite"})
    assert [name for name in desk.files.contents if name.startswith("transfers/")] == []


async def test_one_project_can_be_backed_up(desk: Desk) -> None:
    others = [Memory(id="other", content="Of another project.", project="other")]
    desk.memories.memories |= {memory.id: memory for memory in [*some_memories(2), *others]}
    backup_id = await desk.back_up({"project": "other"})
    assert (await desk.backup(backup_id))["memories"] == 1
    desk.memories.memories.clear()
    await desk.run(backup_id, "restore")
    assert list(desk.memories.memories) == ["other"]


async def test_no_memories_are_a_backup_too(desk: Desk) -> None:
    backup_id = await desk.back_up()
    assert (await desk.backup(backup_id))["state"] == "complete"
    assert (await desk.run(backup_id, "restore"))["state"] == "complete"


async def test_a_dry_run_tells_the_difference_and_changes_nothing(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories(3)}
    backup_id = await desk.back_up()
    await desk.memories.delete("memory-0")
    await desk.memories.update("memory-1", importance=0.9)
    await desk.memories.create("stored after the backup")
    before = dict(desk.memories.memories)

    run = await desk.run(backup_id, "restore", {"dry_run": True, "conflict": "overwrite"})

    result = cast("dict[str, int]", run["result"])
    assert {name: result[name] for name in ("created", "updated", "skipped", "unchanged", "only_here")} == {
        "created": 1,
        "updated": 1,
        "skipped": 0,
        "unchanged": 1,
        "only_here": 1,
    }
    assert desk.memories.memories == before


async def test_skip_leaves_what_is_there_and_overwrite_takes_what_was(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories(1)}
    backup_id = await desk.back_up()
    await desk.memories.update("memory-0", importance=0.9)

    await desk.run(backup_id, "restore", {"conflict": "skip"})
    skipped = desk.memories.memories["memory-0"].importance
    await desk.run(backup_id, "restore", {"conflict": "overwrite"})

    assert (skipped, desk.memories.memories["memory-0"].importance) == (0.9, 0.5)


async def test_a_restore_into_another_project_makes_copies_and_leaves_the_originals(desk: Desk) -> None:
    originals = {memory.id: memory for memory in some_memories(2)}
    desk.memories.memories |= originals
    backup_id = await desk.back_up()

    run = await desk.run(backup_id, "restore", {"into_project": "copy"})

    assert cast(JsonObject, run["result"])["created"] == 2
    copies = [memory for memory in desk.memories.memories.values() if memory.project == "copy"]
    assert [memory.content for memory in copies] == [memory.content for memory in originals.values()]
    assert {name: desk.memories.memories[name] for name in originals} == originals


async def test_a_user_sees_nothing_of_anothers_backups(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}
    backup_id = await desk.back_up()
    run_id = await desk.post(f"/backups/{backup_id}/verify")
    other = Desk(sql=desk.sql, files=desk.files, user_id="other")

    assert await other.get("/backups") == {"backups": []}
    for method, path in [
        ("GET", f"/backups/{backup_id}"),
        ("POST", f"/backups/{backup_id}/verify"),
        ("POST", f"/backups/{backup_id}/restore"),
        ("DELETE", f"/backups/{backup_id}"),
        ("GET", f"/runs/{run_id}"),
    ]:
        assert (await other.ask(method, path)).status == 404, (method, path)
    assert (await desk.backup(backup_id))["state"] == "complete"


async def test_a_deleted_backup_leaves_no_file(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}
    backup_id = await desk.back_up()
    response = await desk.ask("DELETE", f"/backups/{backup_id}")
    await desk.work()

    assert response.status == 202
    assert (await desk.ask("GET", f"/backups/{backup_id}")).status == 404
    assert [name for name in desk.files.contents if name.startswith("backups/")] == []


async def test_a_server_whose_database_is_gone_finds_its_backups_again(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}
    backup_id = await desk.back_up()
    await desk.sql.execute("DELETE FROM backups")
    desk.memories.memories.clear()

    listed = await desk.get("/backups")
    run = await desk.run(backup_id, "restore")

    assert [backup["id"] for backup in cast("list[JsonObject]", listed["backups"])] == [backup_id]
    assert run["state"] == "complete"
    assert len(desk.memories.memories) == 3


async def test_an_id_that_is_none_is_not_found(desk: Desk) -> None:
    assert (await desk.ask("GET", "/backups/latest")).status == 404
    assert (await desk.ask("POST", "/backups/latest/verify")).status == 404
    assert (await desk.ask("GET", "/runs/latest")).status == 404
