"""Growth, parameters and charts, which need no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import pytest

from plugin_kit.context import Context
from plugin_kit.loader import load
from plugin_kit.models import EndpointResponse, Memory
from plugin_kit.testing import FakeMemoryService, fire_endpoint, make_context

FOLDER = Path(__file__).parent
plugin = load(FOLDER.name, FOLDER)
PATHS = ("/stats", "/growth", "/searches", "/recall", "/performance")
SVG = "{http://www.w3.org/2000/svg}"
CONFIG = {"keep_query_text": False, "retention_days": 90}
MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)


def context_of(memories: FakeMemoryService) -> Context:
    return make_context(plugin_name="memory_analytics", memory_service=memories, server_config={"config": CONFIG})


def memories_of(*days: int, project: str | None = None) -> FakeMemoryService:
    """Return a memory for each of ``days`` after MONDAY."""
    return FakeMemoryService(
        [
            Memory(id=f"{project}-{number}", content="...", project=project, created_at=MONDAY + timedelta(days=day))
            for number, day in enumerate(days)
        ]
    )


def memories_of_projects(number: int, *days: int, first: int = 0) -> FakeMemoryService:
    """Return memories of ``number`` projects, each of which has one for each of ``days`` after MONDAY."""
    memories = FakeMemoryService()
    for project in range(first, first + number):
        memories.memories |= memories_of(*days, project=f"project {project}").memories
    return memories


async def answer(path: str, memories: FakeMemoryService | None = None, **query: str) -> EndpointResponse:
    return await fire_endpoint(plugin, "GET", path, query=query, context=context_of(memories or FakeMemoryService()))


async def growth(memories: FakeMemoryService, **query: str) -> dict[str, Any]:
    response = await answer("/growth", memories, **query)
    assert response.status == 200, response.body
    return cast("dict[str, Any]", response.body)


async def chart(path: str, memories: FakeMemoryService | None = None, **query: str) -> ElementTree.Element:
    response = await answer(path, memories, format="svg", **query)
    assert (response.status, response.content_type) == (200, "image/svg+xml"), response.body
    return ElementTree.fromstring(str(response.body))  # noqa: S314  # our own drawing


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


async def test_growth_has_every_day_and_runs_up_to_the_living_memories() -> None:
    memories = memories_of(-1, 0, 0, 2)
    await memories.delete("None-1")

    found = await growth(memories, since="2026-11-16", until="2026-11-19")

    rows = [tuple(row.values()) for row in found["periods"]]
    assert list(found["periods"][0]) == ["period", "created", "remaining", "deleted", "total"]
    assert [row[:3] + row[4:] for row in rows] == [
        ("2026-11-16", 2, 1, 2),
        ("2026-11-17", 0, 0, 2),
        ("2026-11-18", 1, 1, 3),
    ]
    assert (found["before"], found["created"], found["remaining"]) == (1, 3, 2)


async def test_growth_by_week_begins_on_mondays() -> None:
    found = await growth(memories_of(0, 6, 7), by="week", since="2026-11-16", until="2026-11-30")
    assert [(row["period"], row["created"]) for row in found["periods"]] == [("2026-11-16", 2), ("2026-11-23", 1)]


async def test_growth_can_be_split_by_project_and_asked_of_one() -> None:
    memories = memories_of(0, 1, project="a")
    memories.memories |= memories_of(1, project=None).memories

    split = await growth(memories, split="project", since="2026-11-16", until="2026-11-19")
    one = await growth(memories, project="a", since="2026-11-16", until="2026-11-19")

    assert [(row["period"], row["project"], row["created"]) for row in split["periods"]] == [
        ("2026-11-16", "a", 1),
        ("2026-11-17", None, 1),
        ("2026-11-17", "a", 1),
    ]
    assert one["created"] == 2


async def test_growth_by_week_counts_more_groups_than_the_server_counts_at_once() -> None:
    memories = memories_of_projects(2_000, *range(7))

    found = await growth(memories, by="week", split="project", since="2026-11-16", until="2026-11-23")

    rows = {(row["period"], row["project"], row["created"], row["remaining"]) for row in found["periods"]}
    assert rows == {("2026-11-16", f"project {number}", 7, 7) for number in range(2_000)}
    assert found["created"] == 14_000


@pytest.mark.parametrize(("by", "ways"), [("day", "by=week, or one project"), ("week", "or one project")])
async def test_growth_of_too_many_rows_says_how_to_ask_for_less(by: str, ways: str) -> None:
    memories = memories_of_projects(10_001, 0)

    response = await answer("/growth", memories, by=by, split="project", since="2026-11-16", until="2026-11-23")

    assert (response.status, response.content_type) == (422, "application/problem+json")
    assert cast("dict[str, Any]", response.body)["errors"] == [
        {
            "field": "split",
            "in": "query",
            "detail": f"gives over 10,000 rows: give a shorter time with since and until, {ways}",
        }
    ]


async def test_growth_whose_days_of_creation_and_of_deletion_make_too_many_rows_together_is_refused() -> None:
    memories = memories_of_projects(6_000, 0)
    others = memories_of_projects(6_000, 1)
    memories.deleted = list(others.memories.values())

    response = await answer("/growth", memories, split="project", since="2026-11-16", until="2026-11-23")

    assert response.status == 422, response.body


async def test_recall_of_too_many_projects_asks_for_one() -> None:
    memories = memories_of_projects(10_001, 0)

    of_all = await answer("/recall", memories, limit="1")
    of_one = await answer("/recall", memories, project="project 7")

    assert (of_all.status, of_one.status) == (422, 200)
    assert cast("dict[str, Any]", of_all.body)["detail"] == (
        "project: is left out, and there are over 10,000 projects: name one"
    )


async def test_stats_count_more_projects_than_the_server_counts_at_once() -> None:
    memories = memories_of_projects(3_000, 0, 2)
    memories.memories |= memories_of_projects(4_000, 0, first=3_000).memories
    memories.memories |= memories_of_projects(4_000, 2, first=7_000).memories

    found = cast("dict[str, Any]", (await answer("/stats", memories)).body)["memories"]

    assert (found["living"], found["projects"], len(found["by_project"])) == (14_000, 11_000, 100)
    assert set(found["by_project"].values()) == {2}


async def test_stats_say_nothing_of_projects_where_a_single_load_brought_too_many() -> None:
    found = cast("dict[str, Any]", (await answer("/stats", memories_of_projects(10_001, 0))).body)["memories"]
    assert (found["living"], found["projects"], found["by_project"]) == (10_001, None, None)


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/growth", {"by": "month"}, "by"),
        ("/growth", {"split": "user_id"}, "split"),
        ("/growth", {"since": "yesterday"}, "since"),
        ("/growth", {"since": "2026-11-16", "until": "2026-11-16"}, "since"),
        ("/growth", {"since": "1999-01-01"}, "since"),
        ("/growth", {"until": "0001-01-01T00:00:00+14:00"}, "until"),
        ("/searches", {"limit": "0"}, "limit"),
        ("/searches", {"limit": "101"}, "limit"),
        ("/searches", {"limit": "1e1"}, "limit"),
        ("/recall", {"after": "somewhere"}, "after"),
        ("/recall", {"since": "2026-11-16"}, "since"),
        ("/stats", {"format": "png"}, "format"),
        ("/performance", {"fromat": "svg"}, "fromat"),
    ],
)
async def test_a_parameter_that_is_wrong_is_named(path: str, query: dict[str, str], name: str) -> None:
    response = await answer(path, None, **query)
    assert (response.status, response.content_type) == (422, "application/problem+json")
    body = cast("dict[str, Any]", response.body)
    assert [error["field"] for error in body["errors"]] == [name]
    assert body["detail"].startswith(f"{name}: ")


@pytest.mark.parametrize("path", PATHS)
async def test_every_report_has_a_chart_without_a_script_and_says_when_it_is_empty(path: str) -> None:
    root = await chart(path)

    assert [element.tag for element in root.iter() if "script" in str(element.tag)] == []
    assert [element for element in root.iter() if any("href" in name for name in element.attrib)] == []
    title, description = root[0], root[1]
    assert (title.tag, description.tag, root.get("role")) == (f"{SVG}title", f"{SVG}desc", "img")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text in texts(root)
    assert any(text.startswith(("No", "There")) and len(text) > 10 for text in texts(root))


async def test_a_chart_names_its_axes_and_what_its_colours_are() -> None:
    memories = memories_of(0, 0, 2, project="<b>&")
    memories.memories |= memories_of(1, project=None).memories

    root = await chart("/growth", memories, split="project", since="2026-11-16", until="2026-11-19")

    shown = texts(root)
    assert {"Memories created per day, by project", "Day (UTC)", "Memories"} <= set(shown)
    assert {"2026-11-16", "2026-11-18", "<b>&", "(no project)"} <= set(shown)
    tips = [title.text for title in root.iter(f"{SVG}title")]
    assert "2026-11-16: 2" in tips


async def test_a_chart_shows_the_largest_projects_and_sums_up_the_rest() -> None:
    memories = FakeMemoryService()
    for number in range(9):
        memories.memories |= memories_of(*range(number + 1), project=f"project {number}").memories

    root = await chart("/growth", memories, split="project", since="2026-11-16", until="2026-11-30")

    assert "3 others" in texts(root)
    assert {"project 3", "project 8"} <= set(texts(root))
    assert "project 2" not in texts(root)


async def test_the_chart_of_recall_shows_projects_of_which_nothing_was_recalled() -> None:
    root = await chart("/recall", memories_of(0, project="a" * 100))
    assert f"{'a' * 27}…" in texts(root)
