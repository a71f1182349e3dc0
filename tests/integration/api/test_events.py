"""What happens to memories reaches a plugin's queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from memory_server.domain.events import new_id
from plugin_kit.hooks import CATALOGUE
from tests.fixtures.aws import AwsStack, make_registration
from tests.fixtures.embedder_function import EmbedderFunction


@pytest.fixture(scope="module")
def queue_url(stack: AwsStack) -> str:
    """The queue of a plugin that wants every event."""
    url = stack.make_queue("listener")
    asyncio.run(stack.registry().register(make_registration("listener", hooks=tuple(CATALOGUE), queue_url=url)))
    return url


@pytest.fixture(scope="module")
def server(queue_url: str, request: pytest.FixtureRequest) -> httpx.Client:
    """The API, started when the plugin is there already."""
    assert queue_url
    return request.getfixturevalue("over_uvicorn")


@pytest.fixture
def details(stack: AwsStack, queue_url: str, api: httpx.Client) -> Callable[[int], list[Any]]:
    """Give the details of the next events, of this test's user, in the order in which they happened."""

    def take(expected: int) -> list[Any]:
        details: list[Any] = []
        until = time.monotonic() + 5
        while len(details) < expected and time.monotonic() < until:
            details += [d for d in stack.received(queue_url) if d["user_id"] == api.headers["X-Test-User"]]
            time.sleep(0.02)
        return sorted(details, key=lambda detail: cast(str, detail["id"]))

    return take


@pytest.fixture
def heard(details: Callable[[int], list[Any]]) -> Callable[[int], list[tuple[str, dict[str, Any]]]]:
    """Give the next hooks with their arguments."""
    return lambda expected: [(detail["hook"], detail["args"]) for detail in details(expected)]


def test_every_change_is_one_event_and_what_changes_nothing_is_none(
    api: httpx.Client, heard: Callable[[int], list[tuple[str, dict[str, Any]]]]
) -> None:
    path = api.post("/memories", json={"content": "a", "project": "p"}).headers["Location"]
    api.post("/memories", json={"content": "a", "project": "p"})
    api.patch(path, json={"content": "a"})
    api.patch(path, json={"content": "b"})
    api.post("/memories/delete", json={"all": True, "dry_run": True})
    api.delete(path)
    api.delete(path)
    batch = api.post("/memories/batch", json={"memories": [{"content": "c"}, {"content": "c"}, {"content": "d"}]})
    api.post("/memories/delete", json={"all": True})

    events = heard(7)

    assert [hook for hook, _ in events] == [
        "memory_created",
        "memory_updated",
        "memory_deleted",
        "memory_created",
        "memory_created",
        "memory_deleted",
        "memory_deleted",
    ]
    created, updated, deleted = (args for _, args in events[:3])
    assert (created["memory"]["content"], created["memory"]["version"]) == ("a", 1)
    assert (updated["memory"]["content"], updated["memory"]["version"]) == ("b", 2)
    assert deleted == {"memory_id": path.removeprefix("/memories/")}
    ids = {result["memory"]["id"] for result in batch.json()["results"]}
    assert {args["memory_id"] for _, args in events[5:]} == ids


def test_each_of_many_deletions_tells_the_project_and_the_session_of_its_memory(
    api: httpx.Client, details: Callable[[int], list[Any]]
) -> None:
    memories = [{"content": "a", "project": "p", "session_id": "s"}, {"content": "b"}]
    api.post("/memories/batch", json={"memories": memories})
    api.post("/memories/delete", json={"all": True})

    deletions = details(4)[2:]

    assert [deletion["hook"] for deletion in deletions] == ["memory_deleted", "memory_deleted"]
    assert [(deletion["project"], deletion["session_id"]) for deletion in deletions] == [("p", "s"), (None, None)]


def test_reading_is_an_event_and_listing_is_none(
    api: httpx.Client, heard: Callable[[int], list[tuple[str, dict[str, Any]]]]
) -> None:
    path = api.post("/memories", json={"content": "a"}).headers["Location"]
    memory = api.get(path).json()
    api.get("/memories")
    api.get(f"{path}/history")
    api.get(f"/memories/{new_id()}")

    events = heard(2)

    assert [hook for hook, _ in events] == ["memory_created", "memory_retrieved"]
    assert events[1][1]["memory"]["id"] == memory["id"]


def test_a_search_tells_its_query_and_its_results_and_what_the_cache_knew(
    api: httpx.Client, heard: Callable[[int], list[tuple[str, dict[str, Any]]]]
) -> None:
    api.post("/memories", json={"content": "the disk was full"})
    for _ in range(2):
        api.post("/memories/search", json={"query": "disk"})

    events = heard(6)

    assert [hook for hook, _ in events] == [
        "memory_created",
        "cache_miss",
        "cache_updated",
        "search_performed",
        "cache_hit",
        "search_performed",
    ]
    assert events[3][1]["query"] == "disk"
    assert [result["memory"]["content"] for result in events[3][1]["results"]] == ["the disk was full"]


def test_a_search_that_fails_is_an_event(
    api: httpx.Client,
    heard: Callable[[int], list[tuple[str, dict[str, Any]]]],
    embedder_function: EmbedderFunction,
) -> None:
    embedder_function.away = True
    try:
        assert api.post("/memories/search", json={"query": "unheard of"}).status_code == 503
    finally:
        embedder_function.away = False

    events = heard(2)

    assert [hook for hook, _ in events] == ["cache_miss", "search_failed"]
    assert events[1][1]["query"] == "unheard of"
    assert "embedder" in events[1][1]["error"]


def test_creates_updates_reads_and_searches_tell_how_long_they_took(
    api: httpx.Client, details: Callable[[int], list[Any]], embedder_function: EmbedderFunction
) -> None:
    waited: dict[str, float] = {}

    def timed(hook: str, method: str, path: str, body: object = None) -> httpx.Response:
        began = time.perf_counter()
        answer = api.request(method, path, json=body)
        waited[hook] = (time.perf_counter() - began) * 1000
        return answer

    path = timed("memory_created", "POST", "/memories", {"content": "the rack was moved"}).headers["Location"]
    timed("memory_updated", "PATCH", path, {"importance": 0.9})
    timed("memory_retrieved", "GET", path)
    timed("search_performed", "POST", "/memories/search", {"query": "rack", "mode": "keyword"})
    embedder_function.away = True
    try:
        timed("search_failed", "POST", "/memories/search", {"query": "never asked before"})
    finally:
        embedder_function.away = False
    api.delete(path)

    told = {detail["hook"]: detail["metadata"].get("duration_ms") for detail in details(7)}

    assert {hook for hook, duration in told.items() if duration is None} == {"cache_miss", "memory_deleted"}
    assert {hook for hook in waited if not 0 < told[hook] < waited[hook]} == set()


def test_the_memories_of_a_batch_tell_the_time_of_the_whole_batch(
    api: httpx.Client, details: Callable[[int], list[Any]]
) -> None:
    began = time.perf_counter()
    api.post("/memories/batch", json={"memories": [{"content": f"entry {number}"} for number in range(20)]})
    waited = (time.perf_counter() - began) * 1000

    durations = [detail["metadata"]["duration_ms"] for detail in details(20)]

    assert len(durations) == 20
    assert 0 < min(durations) <= max(durations) < waited
    assert max(durations) - min(durations) < waited / 2
