"""Listing memories."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

LAMBDA_LIMIT = 6 * 1024 * 1024


def contents(api: httpx.Client, **parameters: Any) -> list[str]:  # noqa: ANN401  # as httpx takes them
    response = api.get("/memories", params=parameters)
    assert response.status_code == 200, response.text
    return [memory["content"] for memory in response.json()["memories"]]


@pytest.fixture
def some(api: httpx.Client) -> httpx.Client:
    """A client whose user has three memories."""
    memories = [
        {"content": "a", "project": "p", "session_id": "s", "tags": ["x"], "importance": 0.1},
        {"content": "b", "project": "p", "memory_type": "error", "tags": ["x", "y"], "importance": 0.5},
        {"content": "c", "project": "q & r", "memory_type": "warning", "tags": ["z,y"], "importance": 0.9},
    ]
    for memory in memories:
        assert api.post("/memories", json=memory).status_code == 201
    return api


def test_memories_are_listed_from_new_to_old(some: httpx.Client) -> None:
    assert contents(some) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"project": "p"}, ["b", "a"]),
        ({"project": "q & r"}, ["c"]),
        ({"session_id": "s"}, ["a"]),
        ({"memory_type": "error"}, ["b"]),
        ({"memory_type": ["error", "warning"]}, ["c", "b"]),
        ({"tags_any": ["y", "z,y"]}, ["c", "b"]),
        ({"tags_all": ["x", "y"]}, ["b"]),
        ({"min_importance": "0.5"}, ["c", "b"]),
        ({"since": "2020-01-01T00:00:00Z", "until": "2199-01-01T00:00:00+05:30"}, ["c", "b", "a"]),
        ({"until": "2020-01-01T00:00:00Z"}, []),
        ({"since": "2199-01-01T00:00:00Z"}, []),
        ({"project": "p", "tags_any": "y", "min_importance": "0.6"}, []),
    ],
)
def test_conditions_choose_what_is_listed(
    some: httpx.Client, parameters: dict[str, object], expected: list[str]
) -> None:
    assert contents(some, **parameters) == expected


def test_since_counts_the_moment_itself_and_until_does_not(some: httpx.Client) -> None:
    created = some.get("/memories").json()["memories"][1]["created_at"]

    assert contents(some, since=created) == ["c", "b"]
    assert contents(some, until=created) == ["a"]


def test_pages_follow_one_another_without_a_gap_while_memories_come(api: httpx.Client) -> None:
    batch = {"memories": [{"content": f"{number:02}"} for number in range(25)]}
    api.post("/memories/batch", json=batch)
    seen: list[str] = []
    parameters: dict[str, str] = {"limit": "10"}
    sizes: list[int] = []

    while True:
        page = api.get("/memories", params=parameters).json()
        sizes.append(len(page["memories"]))
        seen += [memory["content"] for memory in page["memories"]]
        api.post("/memories", json={"content": f"new {len(seen)}"})
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]

    assert sizes == [10, 10, 5]
    assert sorted(seen) == [f"{number:02}" for number in range(25)]


def test_a_page_that_ends_with_the_last_memory_is_the_last(some: httpx.Client) -> None:
    assert some.get("/memories", params={"limit": "3"}).json()["next_cursor"] is None


def test_an_answer_of_the_longest_memories_stays_within_what_a_lambda_may_answer(api: httpx.Client) -> None:
    memories = [{"content": f"memory {number} ".ljust(64 * 1024, '"')} for number in range(26)]
    assert api.post("/memories/batch", json={"memories": memories}).status_code == 200
    parameters = {"limit": "100"}
    listed: list[str] = []

    answers = [api.post("/memories/search", json={"query": "memory", "limit": 100})]
    while len(listed) < 26:
        answers.append(api.get("/memories", params=parameters))
        listed += [memory["content"] for memory in answers[-1].json()["memories"]]
        parameters["cursor"] = answers[-1].json()["next_cursor"]

    assert parameters["cursor"] is None
    assert len(listed) == len(set(listed)) == 26
    assert len(answers[0].json()["results"]) > 10
    assert max(len(json.dumps(answer.text)) for answer in answers) < LAMBDA_LIMIT


def test_an_expired_memory_is_gone_everywhere(api: httpx.Client) -> None:
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    path = api.post("/memories", json={"content": "fleeting", "expires_at": soon}).headers["Location"]
    assert contents(api) == ["fleeting"]

    for _ in range(100):
        if api.get(path).status_code == 404:
            break
        time.sleep(0.05)

    assert contents(api) == []
    assert api.post("/memories/search", json={"query": "fleeting"}).json()["results"] == []
    assert api.patch(path, json={"importance": 1}).status_code == 404
    assert api.delete(path).status_code == 404
    assert api.post("/memories/delete", json={"all": True}).json()["count"] == 0
    assert api.post("/memories", json={"content": "fleeting"}).status_code == 201
