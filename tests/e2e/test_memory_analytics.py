"""memory_analytics on a running server: its figures are the database's, and its charts are what a browser takes."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import psycopg
import pytest

from tests.e2e.pages import commands, run
from tests.e2e.plugin_folders import LOADER, write_plugin, write_settings
from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 100)

CURLS = [
    block for block in commands("plugins/memory_analytics/README.md") if block.startswith("curl") and "PUT" not in block
]
REPORTS = ("stats", "growth", "searches", "recall", "performance")
TYPES = ("knowledge", "decision", "error")
LIVING = """
    SELECT (created_at AT TIME ZONE 'UTC')::date::text, project, memory_type FROM memories
    WHERE user_id = 'local' AND (expires_at IS NULL OR expires_at > now())
"""
BORN = """
    SELECT (created_at AT TIME ZONE 'UTC')::date::text FROM memories WHERE user_id = 'local'
    UNION ALL
    SELECT ((array_agg(created_at ORDER BY version DESC))[1] AT TIME ZONE 'UTC')::date::text FROM memory_versions
    WHERE user_id = 'local' AND NOT EXISTS (SELECT FROM memories WHERE memories.id = memory_versions.id) GROUP BY id
"""
DELETED = """
    SELECT (SELECT count(*) FROM memory_versions WHERE user_id = 'local' AND replaced_by = 'delete')
        + (SELECT count(*) FROM memories WHERE user_id = 'local' AND expires_at <= now())
"""


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=30) as client:
        yield client


def get(stack: Stack, report: str, **query: str) -> Any:  # noqa: ANN401  # JSON, as tests read it
    answer = stack.http.get(f"/plugins/memory_analytics/{report}", params=query)
    assert answer.is_success, answer.text
    return answer.json()


def rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.admin_dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def switch(stack: Stack, action: str) -> None:
    stack.http.post(f"/plugins/{action}/memory_analytics").raise_for_status()


def eventually(check: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not (done := check()) and time.monotonic() < until:
        time.sleep(0.1)
    return done


class Client:
    """Creates, changes, reads, searches and deletes, as its random numbers say."""

    def __init__(self, api: httpx.Client, seed: int) -> None:
        self._api = api
        self._random = random.Random(seed)  # noqa: S311  # a series of actions, no secret
        self._seed = seed
        self._ids: list[str] = []
        self._number = 0

    def act(self, times: int) -> None:
        actions = (self.create, self.create, self.load, self.update, self.delete, self.delete_many, self.search)
        for _ in range(times):
            self._random.choice(actions)()

    def create(self) -> None:
        self._ids.append(self._api.post("/memories", json=self._draft()).raise_for_status().json()["id"])

    def load(self) -> None:
        drafts = [self._draft() for _ in range(self._random.randint(1, 8))]
        answer = self._api.post("/memories/batch", json={"memories": drafts}).raise_for_status().json()
        self._ids += [result["memory"]["id"] for result in answer["results"]]

    def update(self) -> None:
        if self._ids:
            change = {"project": self._random.choice(("moved", None)), "importance": self._random.random()}
            self._api.patch(f"/memories/{self._random.choice(self._ids)}", json=change)

    def delete(self) -> None:
        if self._ids:
            self._api.delete(f"/memories/{self._ids.pop(self._random.randrange(len(self._ids)))}")

    def delete_many(self) -> None:
        chosen = set(self._random.sample(self._ids, min(3, len(self._ids))))
        if chosen:
            self._api.post("/memories/delete", json={"ids": sorted(chosen)}).raise_for_status()
            self._ids = [memory_id for memory_id in self._ids if memory_id not in chosen]

    def search(self) -> None:
        self._api.post("/memories/search", json={"query": f"number {self._number}"}).raise_for_status()

    def _draft(self) -> dict[str, object]:
        self._number += 1
        expiring = self._random.random() < 0.1
        return {
            "content": f"series {self._seed}, number {self._number}",
            "project": self._random.choice(("analysed", "counted", None)),
            "memory_type": self._random.choice(TYPES),
            "expires_at": (datetime.now(UTC) + timedelta(seconds=1)).isoformat() if expiring else None,
        }


def assert_figures_agree(stack: Stack) -> None:
    """Hold every figure of memories that the plugin tells against the database."""
    stats = get(stack, "stats")["memories"]
    growth = get(stack, "growth")
    split = {name: get(stack, "growth", split=name) for name in ("project", "memory_type")}
    recall = get(stack, "recall")
    living = rows(stack, LIVING)

    assert len(living) > 10
    born = Counter(str(day) for (day,) in rows(stack, BORN))
    by_day = Counter(str(day) for day, _, _ in living)
    deleted = rows(stack, DELETED)[0][0]
    assert stats["living"] == recall["memories"] == len(living)
    assert (stats["created"], stats["deleted"]) == (born.total(), deleted)
    assert stats["by_type"] == dict(Counter(memory_type for _, _, memory_type in living))
    assert stats["by_project"] == dict(Counter(project or "(no project)" for _, project, _ in living))
    assert {row["period"]: row["created"] for row in growth["periods"] if row["created"]} == dict(born)
    assert {row["period"]: row["remaining"] for row in growth["periods"] if row["remaining"]} == dict(by_day)
    assert growth["deleted"] == deleted
    assert growth["periods"][-1]["total"] == len(living)
    for index, (name, found) in enumerate(split.items(), start=1):
        counts = {(row["period"], row[name]): row["remaining"] for row in found["periods"] if row["remaining"]}
        assert counts == dict(Counter((str(row[0]), row[index]) for row in living))


def test_its_figures_are_the_databases_to_the_last_memory_though_it_was_enabled_late(
    stack: Stack, api: httpx.Client
) -> None:
    client = Client(api, seed=20261125)
    switch(stack, "disable")
    client.act(30)
    switch(stack, "enable")
    client.act(30)
    time.sleep(1.2)  # what was to expire has expired, so that no figure changes while they are compared

    assert_figures_agree(stack)


def test_its_figures_are_the_databases_after_loads_in_bulk(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path / "plugins", "loader", LOADER)
    stack = Stack(tmp_path, settings=write_settings(tmp_path / "settings.yaml", [folder]))
    stack.start()
    try:
        with httpx.Client(base_url=stack.url, timeout=60) as api:
            Client(api, seed=1).act(20)
            api.post("/memories", json={"content": "loaded 1", "project": "old"}).raise_for_status()
            before = [memory["id"] for memory in api.get("/memories").json()["memories"]]
            api.delete(f"/memories/{before[-1]}").raise_for_status()
            yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
            memories: list[dict[str, object]] = [
                {"content": f"loaded {number}", "project": "old", "created_at": yesterday, "memory_type": "decision"}
                for number in range(150)
            ]
            memories.append({"id": before[-1], "content": "back again"})
            for conflict in ("skip", "overwrite", "duplicate"):
                load(api, conflict, memories)
            time.sleep(1.2)  # what was to expire has expired

            assert_figures_agree(stack)
    finally:
        stack.close()


def load(api: httpx.Client, conflict: str, memories: list[dict[str, object]]) -> None:
    """Load the memories in bulk, and wait for the end."""
    path = f"/plugins/loader/loads/{conflict}"
    api.post(path, json={"memories": memories, "conflict": conflict}).raise_for_status()
    assert eventually(lambda: api.get(path).json() is not None, seconds=60)
    assert api.get(path).json()["error"] is None


def test_what_is_found_or_read_counts_for_its_project_until_it_is_deleted(stack: Stack, api: httpx.Client) -> None:
    project = "recalled here"
    contents = ("The heron nests by the mill.", "Rust eats the gate.")
    heron, gate = (
        api.post("/memories", json={"content": content, "project": project}).raise_for_status().json()["id"]
        for content in contents
    )

    def figures() -> tuple[int, int, list[str]]:
        found = get(stack, "recall", project=project)
        return found["memories"], found["recalled"], [row["memory_id"] for row in found["never_recalled"]]

    assert figures() == (2, 0, [gate, heron])
    query = {"query": "heron", "limit": 1, "mode": "keyword", "project": project}
    assert len(api.post("/memories/search", json=query).raise_for_status().json()["results"]) == 1
    assert eventually(lambda: figures() == (2, 1, [gate]))
    api.get(f"/memories/{gate}").raise_for_status()
    assert eventually(lambda: figures() == (2, 2, []))
    api.delete(f"/memories/{heron}").raise_for_status()
    assert eventually(lambda: figures() == (1, 1, []))
    performance = get(stack, "performance")["operations"]
    assert {"create", "read", "search", "hook_lag"} <= performance.keys()
    assert all(0 < row["p50_ms"] <= row["p95_ms"] <= row["max_ms"] for row in performance.values())


@pytest.mark.parametrize("report", REPORTS)
def test_every_chart_is_an_svg_that_needs_nothing_else(stack: Stack, report: str) -> None:
    answer = stack.http.get(f"/plugins/memory_analytics/{report}?format=svg")

    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in answer.headers["content-security-policy"]
    root = ElementTree.fromstring(answer.text)  # noqa: S314  # our own drawing
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in answer.text
    assert "//" not in answer.text.replace("http://www.w3.org/", "")


def test_every_curl_of_its_page_answers(stack: Stack, tmp_path: Path) -> None:
    assert sum(block.count("curl") for block in CURLS) == 6
    for block in CURLS:
        run(block, stack, tmp_path)
    assert (tmp_path / "growth.svg").read_text().startswith("<?xml")
