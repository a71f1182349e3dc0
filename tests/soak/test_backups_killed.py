"""A backup and a restore killed at ten random points each, run by `make soak`."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.backups import Backups, everything, lose_everything, searches, store_memories
from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 1800)
KILLS = 10
"""Of the plugin's processes; every fifth of the whole stack."""
MEMORIES = 500


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that has backup_manager and some memories."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "settings.yaml").write_text(json.dumps({"plugins": {"plugins": ["backup_manager"]}}))
    stack = Stack(folder, settings=folder / "settings.yaml")
    stack.start()
    store_memories(stack, MEMORIES)
    try:
        yield stack
    finally:
        stack.close()


def test_a_backup_killed_at_ten_points_is_good_in_the_end_and_never_listed_as_good_before(server: Stack) -> None:
    backups = Backups(server)
    usual = _seconds(lambda: backups.back_up())
    before = everything(server)
    for kill in range(KILLS):
        backup_id = backups.begin("/backups", {})
        _kill_after(server, backups, random.uniform(0, usual), everything_dies=kill % 5 == 4)  # noqa: S311  # any moment
        if backups.get(f"/backups/{backup_id}")["state"] == "complete":
            assert backups.run(backup_id, "verify")["state"] == "complete"
        backups.time_passes()
        assert backups.ended(f"/backups/{backup_id}")["state"] == "complete"
        assert backups.run(backup_id, "verify")["state"] == "complete"
        assert everything(server) == before
    sys.stdout.write(f"a backup of {MEMORIES} memories takes {usual:.1f} s; killed {KILLS} times\n")


def test_a_restore_killed_at_ten_points_is_whole_or_nothing_and_done_in_the_end(server: Stack) -> None:
    backups = Backups(server)
    before, found = everything(server), searches(server, 50)
    backup_id = backups.back_up()
    lose_everything(server)
    usual = _seconds(lambda: backups.run(backup_id, "restore"))
    for kill in range(KILLS):
        lose_everything(server)
        run_id = backups.begin(f"/backups/{backup_id}/restore", {})
        _kill_after(server, backups, random.uniform(0, usual), everything_dies=kill % 5 == 4)  # noqa: S311  # any moment
        memories = len(everything(server)[0])
        assert memories in {0, len(before[0])}
        backups.time_passes()
        assert backups.ended(f"/runs/{run_id}")["state"] == "complete"
        assert everything(server) == before
    assert searches(server, 50) == found
    sys.stdout.write(f"a restore of {len(before[0])} memories takes {usual:.1f} s; killed {KILLS} times\n")


def _seconds(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return time.monotonic() - began


def _kill_after(server: Stack, backups: Backups, seconds: float, *, everything_dies: bool) -> None:
    """Kill the plugin's processes after so many seconds, or the whole stack, which then starts again."""
    time.sleep(seconds)
    if everything_dies:
        server.kill_all()
        server.start()
    else:
        backups.kill_processes()
        server.http.get("/health/ready").raise_for_status()
