"""backup_manager on a running server: what was lost comes back, whatever was killed on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin_kit.json_types import JsonObject
from plugin_kit.models import MEMORY_TYPES
from tests.e2e.backups import Backups, everything, lose_everything, searches, store_memories
from tests.e2e.pages import commands, run
from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that has backup_manager alone."""
    folder = tmp_path_factory.mktemp("backups")
    (folder / "settings.yaml").write_text(json.dumps({"plugins": {"plugins": ["backup_manager"]}}))
    stack = Stack(folder, settings=folder / "settings.yaml")
    stack.start()
    try:
        yield stack
    finally:
        stack.close()


@pytest.fixture
def backups(server: Stack) -> Backups:
    """The plugin, on a server that remembers nothing."""
    lose_everything(server)
    return Backups(server)


def test_after_all_was_lost_a_restore_brings_back_every_row_and_the_same_searches(
    server: Stack, backups: Backups
) -> None:
    living = store_memories(server, 200)
    before, found = everything(server), searches(server)
    backup_id = backups.back_up()

    lose_everything(server)
    assert [ids for ids in searches(server, 3) if ids] == []
    run = backups.run(backup_id, "restore")

    assert run["state"] == "complete", run
    assert cast("dict[str, int]", run["result"])["created"] == len(living)
    assert everything(server) == before
    assert searches(server) == found


def test_what_users_delete_comes_back_and_a_dry_run_tells_of_it_first(server: Stack, backups: Backups) -> None:
    living = store_memories(server, 60)
    backup_id = backups.back_up()
    deleted = server.http.post("/memories/delete", json={"all": True}).json()["count"]

    told = backups.run(backup_id, "restore", {"dry_run": True})
    still = server.http.get("/memories").json()["memories"]
    backups.run(backup_id, "restore")

    assert deleted == len(living)
    assert cast("dict[str, int]", told["result"])["created"] == len(living)
    assert still == []
    assert {str(row[0]["id"]) for row in cast("list[list[JsonObject]]", everything(server)[0])} == set(living)


def test_a_kill_of_everything_during_a_backup_and_a_restore_loses_nothing(server: Stack, backups: Backups) -> None:
    store_memories(server, 60)
    before = everything(server)
    backup_id = backups.begin("/backups", {})
    server.kill_all()
    server.start()
    backups.time_passes()
    backup = backups.ended(f"/backups/{backup_id}")
    lose_everything(server)
    run_id = backups.begin(f"/backups/{backup_id}/restore", {})
    server.kill_all()
    server.start()
    backups.time_passes()
    run = backups.ended(f"/runs/{run_id}")

    assert (backup["state"], run["state"]) == ("complete", "complete")
    assert everything(server) == before


def test_a_file_that_was_changed_is_refused_and_nothing_is_touched(server: Stack, backups: Backups) -> None:
    store_memories(server, 30)
    backup_id = backups.back_up()
    before = everything(server)
    part = backups.files(backup_id)[0]
    part.write_bytes(part.read_bytes()[:-1] + b"!")

    run = backups.run(backup_id, "restore", {"conflict": "overwrite"})

    assert run["state"] == "failed"
    assert "is not what was written" in str(run["error"])
    assert everything(server) == before


def test_a_restore_into_another_project_leaves_the_originals(server: Stack, backups: Backups) -> None:
    living = store_memories(server, 30)
    backup_id = backups.back_up()
    run = backups.run(backup_id, "restore", {"into_project": "copies"})
    copies = server.http.get("/memories", params={"project": "copies", "limit": 100}).json()
    assert cast("dict[str, int]", run["result"])["created"] == len(living)
    assert len(copies["memories"]) == len(living)
    assert len(everything(server)[0]) == 2 * len(living)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
drafts = st.fixed_dictionaries(
    {
        "content": texts,
        "memory_type": st.sampled_from(MEMORY_TYPES),
        "project": st.none() | texts,
        "session_id": st.none() | texts,
        "tags": st.lists(texts, max_size=5),
        "importance": st.floats(0, 1),
        "metadata": st.dictionaries(texts, json_values, max_size=5),
        "expires_at": st.none()
        | st.timedeltas(timedelta(days=1), timedelta(days=10_000)).map(
            lambda ahead: (datetime.now(UTC) + ahead).isoformat()
        ),
        "allow_duplicate": st.booleans(),
    }
)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(drafts, min_size=20, max_size=60))
def test_whatever_the_api_accepts_survives(server: Stack, drafted: list[JsonObject]) -> None:
    lose_everything(server)
    for draft in drafted:
        server.http.post("/memories", json=draft)
    before = everything(server)
    backups = Backups(server)
    backup_id = backups.back_up()
    lose_everything(server)
    backups.run(backup_id, "restore")
    assert everything(server) == before


def test_the_commands_of_its_page_work(server: Stack, backups: Backups, tmp_path: Path) -> None:
    store_memories(server, 5)
    backup_id = backups.back_up()
    run_id = backups.begin(f"/backups/{backup_id}/verify", {})
    pages = commands("plugins/backup_manager/README.md")
    assert len(pages) == 6
    for block in pages:
        run(block, server, tmp_path, BACKUP=backup_id, RUN=run_id)
        backups.all_ended()
    assert backups.ask("GET", f"/backups/{backup_id}").status_code == 404
