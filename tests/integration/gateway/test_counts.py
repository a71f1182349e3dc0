"""A plugin counts the memories of its event's user, and reads them page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import psycopg
import pytest

from plugin_kit.json_types import JsonObject, JsonValue
from tests.fixtures.postgres import TestDatabase
from tests.integration.gateway.conftest import Plugin, error_of

# The one memory that was deleted, again and again, each time in another project.
MANY_DELETED = """
INSERT INTO memory_versions
SELECT another.* FROM memory_versions, generate_series(1, %s) AS number,
    jsonb_populate_record(memory_versions, jsonb_build_object('id', uuidv7(), 'project', number::text)) AS another
"""


def create(plugin: Plugin, content: str, **fields: JsonValue) -> str:
    return str(cast(JsonObject, plugin.ok("memory.create", content=content, **fields))["id"])


def born(database: TestDatabase, memory_id: str, time: str) -> None:
    with psycopg.connect(database.admin_dsn) as connection:
        connection.execute("UPDATE memories SET created_at = %s WHERE id = %s", [time, memory_id])


@pytest.fixture
def three(plugin: Plugin, database: TestDatabase) -> list[str]:
    """Three memories of two days and two projects, and one of another user."""
    ids = [create(plugin, "a", project="p"), create(plugin, "b", project="p"), create(plugin, "c")]
    for memory_id, day in zip(ids, ("01", "02", "02"), strict=True):
        born(database, memory_id, f"2026-11-{day}T23:59:59Z")
    create(plugin.acting_for("bob"), "bob's own", project="p")
    return ids


@pytest.mark.usefixtures("three")
def test_memories_are_counted_in_groups(plugin: Plugin) -> None:
    assert plugin.ok("memory.count") == [{"count": 3}]
    assert plugin.ok("memory.count", by=["day"]) == [
        {"day": "2026-11-01", "count": 1},
        {"day": "2026-11-02", "count": 2},
    ]
    assert plugin.ok("memory.count", by=["project", "memory_type"]) == [
        {"project": "p", "memory_type": "knowledge", "count": 2},
        {"project": None, "memory_type": "knowledge", "count": 1},
    ]
    assert plugin.ok("memory.count", by=["day"], project="p", since="2026-11-02T00:00:00Z") == [
        {"day": "2026-11-02", "count": 1}
    ]


def test_deleted_memories_are_counted_by_their_deletion_and_were_born_all_the_same(
    plugin: Plugin, three: list[str]
) -> None:
    plugin.ok("memory.update", memory_id=three[0], content="a changed")
    plugin.ok("memory.delete", memory_id=three[0])
    assert plugin.ok("memory.count") == [{"count": 2}]
    assert plugin.ok("memory.count", deleted=True) == [{"count": 1}]
    assert plugin.ok("memory.count", deleted=True, until="2026-11-03T00:00:00Z") == [{"count": 0}]
    assert plugin.ok("memory.count", by=["born"]) == [
        {"born": "2026-11-01", "count": 1},
        {"born": "2026-11-02", "count": 2},
    ]


def test_what_cannot_be_counted_is_named(plugin: Plugin) -> None:
    assert "by: must be one of day, born" in plugin.failed("memory.count", by=["week"])
    assert "leave out day and deleted" in plugin.failed("memory.count", by=["day", "born"])


def test_more_groups_than_one_answer_holds_are_refused_as_such(plugin: Plugin, database: TestDatabase) -> None:
    plugin.ok("memory.delete", memory_id=create(plugin, "a", project="0"))
    with psycopg.connect(database.admin_dsn) as connection:
        connection.execute(MANY_DELETED, [10_000])

    message = error_of("AnswerTooLarge", plugin.call("memory.count", by=["project"], deleted=True))

    assert message == "by: gives over 10,000 rows: narrow it with project, since or until"
    one = plugin.ok("memory.count", by=["project"], project="7", deleted=True)
    assert one == [{"project": "7", "count": 1}]


def test_pages_follow_each_other_until_all_are_read(plugin: Plugin, three: list[str]) -> None:
    found: list[JsonObject] = []
    while page := cast(
        "Sequence[JsonObject]",
        plugin.ok(
            "memory.list",
            limit=1,
            after={name: found[-1][name] for name in ("id", "created_at")} if found else None,
        ),
    ):
        found += page
    assert {str(memory["id"]) for memory in found} == set(three)
    assert len(found) == 3
