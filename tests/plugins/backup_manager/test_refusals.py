"""A backup that is not what was written is refused before anything is touched, and the answer says what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import pytest

from plugin_kit.errors import FileChanged, ServiceFailed
from plugin_kit.json_types import JsonObject
from plugin_kit.testing.fake_files import FakeFiles
from plugins.backup_manager.work import MAX_TRIES
from tests.plugins.backup_manager.desk import Desk, some_memories

Damage = Callable[[dict[str, bytes], list[str]], None]


def _missing(files: dict[str, bytes], parts: list[str]) -> None:
    del files[parts[1]]


def _cut_off(files: dict[str, bytes], parts: list[str]) -> None:
    files[parts[1]] = files[parts[1]][:-1]


def _exchanged(files: dict[str, bytes], parts: list[str]) -> None:
    files[parts[0]], files[parts[1]] = files[parts[1]], files[parts[0]]


def _changed(files: dict[str, bytes], parts: list[str]) -> None:
    data = bytearray(files[parts[1]])
    data[len(data) // 2] ^= 1
    files[parts[1]] = bytes(data)


def _manifest(files: dict[str, bytes]) -> str:
    (name,) = [name for name in files if "manifest" in name]
    return name


def _manifest_missing(files: dict[str, bytes], _parts: list[str]) -> None:
    del files[_manifest(files)]


def _manifest_changed(files: dict[str, bytes], _parts: list[str]) -> None:
    files[_manifest(files)] = files[_manifest(files)][:-1] + b"!"


DAMAGES: dict[str, tuple[Damage, str]] = {
    "missing": (_missing, r"part 2 of 2 .* is missing"),
    "cut off": (_cut_off, r"part 2 of 2 .* has \d+ bytes and not \d+"),
    "exchanged": (_exchanged, r"part 1 of 2 .* has \d+ bytes and not|part 1 of 2 .* is not what was written"),
    "changed": (_changed, r"part 2 of 2 .* is not what was written, its SHA-256 is another"),
    "manifest missing": (_manifest_missing, "the manifest .* is missing"),
    "manifest changed": (_manifest_changed, "the manifest .* is not what was written"),
}


@pytest.fixture
async def backup_id(desk: Desk) -> str:
    """A backup of two parts: memories and versions."""
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}
    await desk.memories.update("memory-0", importance=0.7)
    return await desk.back_up()


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("what", ["verify", "restore"])
async def test_a_damaged_backup_is_refused_before_anything_is_touched(
    desk: Desk, backup_id: str, damage: Damage, message: str, what: str
) -> None:
    damage(desk.files.contents, desk.part_names(backup_id))
    desk.memories.memories.clear()

    run = await desk.run(backup_id, what)

    assert run["state"] == "failed"
    assert re.search(message, str(run["error"])) is not None
    assert str(run["error"]).endswith("restore another backup")
    assert desk.memories.memories == {}
    assert cast(JsonObject, (await desk.backup(backup_id))["check"])["damage"] == run["error"]


async def test_a_good_backup_verifies_with_its_counts(desk: Desk, backup_id: str) -> None:
    run = await desk.run(backup_id, "verify")
    result = cast("dict[str, int]", run["result"])
    assert run["state"] == "complete"
    assert (result["parts"], result["memories"], result["versions"]) == (2, 3, 1)
    assert cast(JsonObject, (await desk.backup(backup_id))["check"])["damage"] is None


async def test_another_key_is_no_damage_and_the_right_one_is_named(desk: Desk, backup_id: str) -> None:
    desk.secrets["encryption_key"] = "another-key-that-is-long-enough-to-be-one"
    run = await desk.run(backup_id, "restore")
    backup = await desk.backup(backup_id)
    assert f"was encrypted with the key {backup['key']}" in str(run["error"])
    assert "retired_keys" in str(run["error"])
    assert backup["check"] is None


async def test_without_a_key_no_backup_begins(desk: Desk) -> None:
    desk.secrets.clear()
    response = await desk.ask("POST", "/backups")
    assert response.status == 409
    assert response.content_type == "application/problem+json"
    assert "set at least 32 random characters with PUT" in str(cast(JsonObject, response.body)["detail"])


async def test_a_backup_that_is_not_complete_is_not_restored(desk: Desk) -> None:
    unfinished = await desk.post("/backups")
    response = await desk.ask("POST", f"/backups/{unfinished}/restore")
    assert response.status == 409
    assert "is reading: only a complete one can be read" in str(response.body)


async def test_one_backup_of_the_same_memories_at_a_time(desk: Desk) -> None:
    first = await desk.post("/backups")
    again = await desk.ask("POST", "/backups")
    assert again.status == 409
    assert first in str(again.body)
    assert (await desk.ask("POST", "/backups", {"project": "team"})).status == 202


async def test_a_backup_that_is_being_read_is_not_removed(desk: Desk, backup_id: str) -> None:
    await desk.post(f"/backups/{backup_id}/restore", {"dry_run": True})
    response = await desk.ask("DELETE", f"/backups/{backup_id}")
    assert response.status == 409
    assert "is being read" in str(response.body)


class RottenFiles(FakeFiles):
    """Files of a store whose own checksums no longer fit."""

    async def read(self, name: str, *, start: int = 0, end: int | None = None) -> bytes:
        if name.startswith("backups/"):
            raise FileChanged(f"file {name} is not what was written: Expected checksum 5jGcrQ==")
        return await FakeFiles.read(self, name, start=start, end=end)


async def test_what_the_store_itself_finds_changed_is_damage_at_once(desk: Desk, backup_id: str) -> None:
    desk.files = RottenFiles(desk.files.contents)
    run = await desk.run(backup_id, "verify")
    assert run["state"] == "failed"
    assert "is not what was written: Expected checksum" in str(run["error"])
    assert cast(JsonObject, (await desk.backup(backup_id))["check"])["damage"] == run["error"]


class DeniedFiles(FakeFiles):
    """Files of a store that lets nobody write below backups/."""

    async def write(self, name: str, data: bytes) -> None:
        if name.startswith("backups/"):
            raise ServiceFailed(f"file {name}: An error occurred (AccessDenied) when calling the PutObject operation")
        await FakeFiles.write(self, name, data)


async def test_a_store_that_denies_is_tried_again_and_then_named(desk: Desk) -> None:
    desk.files = DeniedFiles()
    desk.memories.files = desk.files
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}

    begun = await desk.post("/backups")
    await desk.work(2)
    under_way = await desk.backup(begun)
    await desk.work()
    failed = await desk.backup(begun)

    assert under_way["state"] == "storing"
    assert "AccessDenied" in str(under_way["error"])
    assert failed["state"] == "failed"
    assert f"(AccessDenied) when calling the PutObject operation (tried {MAX_TRIES} times)" in str(failed["error"])
    assert desk.files.contents == {}


async def test_memories_that_the_server_could_not_read_are_no_backup(desk: Desk) -> None:
    begun = await desk.post("/backups")
    (task,) = desk.memories.started
    snapshot = {**cast(JsonObject, task.arguments["snapshot"]), "error": "the database does not answer"}
    desk.memories.started[0] = task._replace(arguments={**task.arguments, "snapshot": snapshot})
    await desk.work()
    failed = await desk.backup(begun)
    assert (failed["state"], failed["error"]) == (
        "failed",
        "the server could not read the memories: the database does not answer",
    )


async def test_what_the_server_does_not_load_is_told(desk: Desk, backup_id: str) -> None:
    run_id = await desk.post(f"/backups/{backup_id}/restore")
    await desk.work(1)
    (task,) = desk.memories.started
    load = {**cast(JsonObject, task.arguments["load"]), "error": {"message": "line 3: content", "part": "p", "line": 3}}
    desk.memories.started[0] = task._replace(arguments={**task.arguments, "load": load})
    await desk.work()
    run = await desk.get(f"/runs/{run_id}")
    assert (run["state"], run["error"]) == ("failed", "nothing was restored: line 3: content")
