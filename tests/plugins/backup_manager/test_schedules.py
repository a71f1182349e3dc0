"""Without anybody asking: backups of every user, tests of the latest ones, and an end for what is too old."""

from __future__ import annotations

from typing import cast

import pytest

from plugin_kit.json_types import JsonObject
from plugins.backup_manager import plugin
from tests.plugins.backup_manager.desk import Desk, some_memories
from tests.plugins.backup_manager.dying import hours_pass


async def backups(desk: Desk) -> list[JsonObject]:
    return cast("list[JsonObject]", (await desk.get("/backups"))["backups"])


async def nightly(desk: Desk) -> str:
    """Let the schedule make a backup, and return its id."""
    await plugin.back_up_everyone(desk.schedule_context())
    await desk.work()
    return str((await backups(desk))[0]["id"])


async def age(desk: Desk, backup_id: str, days: int) -> None:
    """Let a backup be older."""
    sql = "UPDATE backups SET taken_at = taken_at - make_interval(days => %s::int) WHERE id = %s::uuid"
    await desk.sql.execute(sql, [days, backup_id])


async def test_the_schedule_backs_up_every_user_in_the_users_own_name(desk: Desk) -> None:
    desk.memories.users = ("local", "other")
    await plugin.back_up_everyone(desk.schedule_context())
    assert [task.task for task in desk.memories.started] == ["back_up", "back_up"]
    await desk.work(1)
    (begun,) = await backups(desk)
    assert (begun["state"], begun["origin"]) == ("reading", "schedule")


async def test_an_operator_can_switch_the_schedule_off(desk: Desk) -> None:
    desk.config["automatic"] = False
    await plugin.back_up_everyone(desk.schedule_context())
    await plugin.test_restores(desk.schedule_context())
    assert desk.memories.started == []


async def test_a_night_without_a_key_is_logged_and_raises_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.secrets.clear()
    await plugin.back_up_everyone(desk.schedule_context())
    await desk.work()
    assert await backups(desk) == []
    assert "no scheduled backup: there is no key to encrypt with" in caplog.text


async def test_the_latest_backup_is_tested_and_says_so(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories(4)}
    backup_id = await nightly(desk)
    desk.memories.memories.pop("memory-0")
    before = dict(desk.memories.memories)

    await plugin.test_restores(desk.schedule_context())
    await desk.work()

    test = cast(JsonObject, (await desk.backup(backup_id))["test"])
    assert (test["passed"], test["memories"], test["restorable"]) == (True, 4, 4)
    assert desk.memories.memories == before


async def test_a_test_that_finds_damage_says_so_and_the_backup_counts_as_good_no_longer(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}
    good = await nightly(desk)
    await age(desk, good, days=1)
    damaged = await nightly(desk)
    (part,) = desk.part_names(damaged)
    desk.files.contents[part] += b"!"

    await plugin.test_restores(desk.schedule_context())
    await desk.work()

    backup = await desk.backup(damaged)
    assert cast(JsonObject, backup["test"])["passed"] is False
    assert "part 1 of 1" in str(cast(JsonObject, backup["check"])["damage"])
    retention = await desk.get("/retention")
    reasons = {str(entry["id"]): entry["reasons"] for entry in cast("list[dict[str, object]]", retention["backups"])}
    assert "last good" in cast("list[str]", reasons[good])
    assert retention["would_drop"] == [damaged]


async def test_the_policy_is_shown_before_it_is_applied_and_applied_after_the_next_backup(desk: Desk) -> None:
    desk.config |= {"keep_daily": 100}
    old: list[str] = []
    for days in (3, 2, 1):
        old.append(await nightly(desk))
        await age(desk, old[-1], days)
    asked = await desk.back_up()
    desk.config |= {"keep_daily": 2, "keep_weekly": 0, "keep_monthly": 0}

    shown = await desk.get("/retention")
    newest = await nightly(desk)

    assert shown["would_drop"] == [old[0]]
    assert shown["policy"] == {"keep_hourly": 0, "keep_daily": 2, "keep_weekly": 0, "keep_monthly": 0}
    assert {str(backup["id"]) for backup in await backups(desk)} == {asked, newest, old[2]}
    names = " ".join(desk.files.contents)
    assert [backup_id in names for backup_id in old] == [False, False, True]


async def test_what_is_being_read_is_not_dropped(desk: Desk) -> None:
    desk.config |= {"keep_daily": 1, "keep_weekly": 0, "keep_monthly": 0}
    first = await nightly(desk)
    await age(desk, first, days=1)
    await desk.post(f"/backups/{first}/restore", {"dry_run": True})
    reading = list(desk.memories.started)
    desk.memories.started.clear()
    await nightly(desk)
    assert (await desk.backup(first))["state"] == "complete"
    desk.memories.started.extend(reading)
    await desk.work()
    await nightly(desk)
    assert (await desk.ask("GET", f"/backups/{first}")).status == 404


async def test_what_a_crash_left_lying_is_looked_after_and_nothing_else_costs_a_task(desk: Desk) -> None:
    desk.memories.memories |= {memory.id: memory for memory in some_memories()}
    await plugin.look_after(desk.schedule_context())
    assert desk.memories.started == []

    backup_id = await desk.post("/backups")
    desk.memories.started.clear()
    await plugin.look_after(desk.schedule_context())
    too_early = list(desk.memories.started)
    await hours_pass(desk)
    await plugin.look_after(desk.schedule_context())
    await desk.work()

    assert too_early == []
    assert (await desk.backup(backup_id))["state"] == "complete"


async def test_a_failed_backup_is_listed_for_a_month(desk: Desk) -> None:
    desk.secrets["encryption_key"] = "x" * 40
    failed = await desk.post("/backups")
    desk.secrets.clear()
    await desk.work()
    desk.secrets["encryption_key"] = "x" * 40
    await nightly(desk)
    assert (await desk.backup(failed))["state"] == "failed"
    await desk.sql.execute("UPDATE backups SET requested_at = now() - interval '31 days' WHERE state = 'failed'")
    await nightly(desk)
    assert (await desk.ask("GET", f"/backups/{failed}")).status == 404
