"""Whenever the process dies: no bad backup passes for a good one, nothing is lost or doubled, the next run is done."""

from __future__ import annotations

from typing import cast

import pytest

from plugin_kit.json_types import JsonObject
from tests.plugins.backup_manager.desk import Desk, some_memories
from tests.plugins.backup_manager.dying import Life, MortalDesk, hours_pass, twice_at_once

pytestmark = pytest.mark.timeout(300)
ENOUGH = 1_000_000


@pytest.fixture
async def mortal(desk: Desk) -> MortalDesk:
    """A desk with memories and versions, so that a backup has two parts."""
    mortal = MortalDesk(sql=desk.sql, files=desk.files, life=Life(ENOUGH))
    mortal.memories.memories |= {memory.id: memory for memory in some_memories()}
    await mortal.memories.update("memory-0", importance=0.7)
    return mortal


async def survivor(mortal: MortalDesk) -> Desk:
    """Return the desk of a new process, hours later."""
    mortal.life = Life(ENOUGH)
    await hours_pass(mortal)
    return mortal


async def test_a_backup_killed_at_any_call_is_never_a_bad_one_and_is_taken_up(mortal: MortalDesk) -> None:
    calls = await _calls_of_a_backup(mortal)
    assert calls > 40
    for lasts in range(0, calls, 4):
        mortal.life = Life(lasts)
        assert not await mortal.live(mortal.back_up)
        desk = await survivor(mortal)
        complete = [backup for backup in await _backups(desk) if backup["state"] == "complete"]
        for backup in complete:
            assert (await desk.run(str(backup["id"]), "verify"))["state"] == "complete", lasts
        await desk.work()
        await _remove_all_and_look_for_orphans(desk, lasts)


async def test_a_restore_killed_at_any_call_loses_and_doubles_nothing_and_is_taken_up(mortal: MortalDesk) -> None:
    backup_id = await mortal.back_up()
    everything, history = dict(mortal.memories.memories), list(mortal.memories.versions)
    await _wipe(mortal)
    mortal.life = Life(ENOUGH)
    await mortal.run(backup_id, "restore")
    calls, seen = mortal.life.calls, await _runs(mortal, backup_id)
    assert calls > 30
    for lasts in range(0, calls, 2):
        await _wipe(mortal)
        mortal.life = Life(lasts)
        assert not await mortal.live(lambda: mortal.run(backup_id, "restore"))
        runs = await _runs(await survivor(mortal), backup_id)
        await mortal.work()
        for run_id in runs - seen:
            assert (await mortal.get(f"/runs/{run_id}"))["state"] == "complete", lasts
        restored = (mortal.memories.memories, mortal.memories.versions)
        assert restored == ((everything, history) if runs - seen else ({}, [])), lasts
        assert [name for name in mortal.files.contents if name.startswith("transfers/")] == []
        seen = runs


async def test_a_restore_that_the_server_is_long_at_is_asked_for_less_and_less_often(mortal: MortalDesk) -> None:
    backup_id = await mortal.back_up()
    run_id = await mortal.post(f"/backups/{backup_id}/restore")
    asked: list[int] = []
    for _ in range(9):
        await mortal.work(1)
        mortal.memories.started.clear()  # what the server would say once it is done
        await mortal.sql.execute("UPDATE runs SET touched_at = touched_at - interval '90 seconds'")
        await mortal.get(f"/runs/{run_id}")
        asked.append(len(mortal.memories.started))

    assert asked == [1, 0, 1, 0, 0, 1, 0, 0, 0]


async def test_tasks_that_come_twice_at_once_store_and_restore_once(mortal: MortalDesk) -> None:
    everything = dict(mortal.memories.memories)
    backup_id = await mortal.post("/backups")
    await twice_at_once(mortal)
    backup = await mortal.backup(backup_id)
    await _wipe(mortal)
    run_id = await mortal.post(f"/backups/{backup_id}/restore")
    await twice_at_once(mortal)

    assert backup["state"] == "complete"
    assert (await mortal.get(f"/runs/{run_id}"))["state"] == "complete"
    assert mortal.memories.memories == everything
    assert len(mortal.part_names(backup_id)) == 2
    await _remove_all_and_look_for_orphans(mortal, 0)


async def test_a_backup_that_never_goes_on_has_failed_in_the_end(mortal: MortalDesk) -> None:
    backup_id = await mortal.post("/backups")
    states: list[object] = []
    for _ in range(8):
        mortal.memories.started.clear()
        await hours_pass(mortal)
        states.append((await mortal.backup(backup_id))["state"])
    assert states[:6] == ["reading"] * 6
    assert states[-1] == "failed"
    assert "did not go on" in str((await mortal.backup(backup_id))["error"])


async def test_a_backup_that_is_removed_while_it_is_stored_leaves_nothing(mortal: MortalDesk) -> None:
    backup_id = await mortal.post("/backups")
    late = list(mortal.memories.started)
    mortal.memories.started.clear()
    await mortal.ask("DELETE", f"/backups/{backup_id}")
    await mortal.work()
    mortal.memories.started.extend(late)
    await mortal.work()
    assert (await mortal.ask("GET", f"/backups/{backup_id}")).status == 404
    assert [name for name in mortal.files.contents if name.startswith("backups/")] == []


async def _calls_of_a_backup(mortal: MortalDesk) -> int:
    mortal.life = Life(ENOUGH)
    backup_id = await mortal.back_up()
    calls = mortal.life.calls
    await mortal.ask("DELETE", f"/backups/{backup_id}")
    await mortal.work()
    return calls


async def _runs(desk: Desk, backup_id: str) -> set[str]:
    return {str(run["id"]) for run in cast("list[JsonObject]", (await desk.backup(backup_id))["runs"])}


async def _backups(desk: Desk) -> list[JsonObject]:
    return cast("list[JsonObject]", (await desk.get("/backups"))["backups"])


async def _remove_all_and_look_for_orphans(desk: Desk, lasts: int) -> None:
    """Every backup has come to its end; once all are removed there is no file."""
    for backup in await _backups(desk):
        assert backup["state"] == "complete", (lasts, backup)
        assert (await desk.run(str(backup["id"]), "verify"))["state"] == "complete", lasts
        await desk.ask("DELETE", f"/backups/{backup['id']}")
    await desk.work()
    await hours_pass(desk)
    await desk.get("/backups")
    orphans = [name for name in desk.files.contents if name.startswith("backups/")]
    assert orphans == [], lasts


async def _wipe(desk: Desk) -> None:
    desk.memories.memories.clear()
    desk.memories.versions.clear()
