"""A user who has as much as they may have is told what of, how much it is, and what to do; what they have stays."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.api.agent import Agent


@pytest.fixture(scope="module")
def environment(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMORIES_A_USER", "3")
        patch.setenv("BYTES_A_USER", "1000")
        patch.setenv("REQUESTS_A_MINUTE", "600")
        yield environment


def store(api: httpx.Client, *contents: str) -> httpx.Response:
    return api.post("/memories/batch", json={"memories": [{"content": content} for content in contents]})


def test_a_memory_too_many_is_answered_with_what_is_used_and_allowed(api: httpx.Client) -> None:
    assert store(api, "a", "b", "c").status_code == 200
    refused = api.post("/memories", json={"content": "d"})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 3600
    requests, memories = refused.headers["RateLimit-Policy"].split(", ")
    assert (requests, memories) == ('"requests";q=600;w=60', '"memories";q=3')
    assert refused.headers["RateLimit"].split(", ")[1] == '"memories";r=0'
    problem = refused.json()
    assert problem["type"] == "urn:memory-server:problem:quota-exceeded"
    assert (problem["quota"], problem["allowed"], problem["used"]) == ("memories", 3, 3)
    assert "may have 3 memories, 3 are there" in problem["detail"]
    assert "delete memories" in problem["detail"]
    assert "errors" not in problem
    assert len(api.get("/memories").json()["memories"]) == 3


def test_a_batch_that_does_not_fit_names_the_first_memory_that_is_too_much(api: httpx.Client) -> None:
    store(api, "a", "b")
    refused = store(api, "a", "c", "d", "e")
    assert refused.status_code == 429
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["#/memories/2"]
    assert {memory["content"] for memory in api.get("/memories").json()["memories"]} == {"a", "b"}


def test_bytes_too_many_are_told_in_their_unit_and_an_update_that_needs_fewer_works(api: httpx.Client) -> None:
    path = api.post("/memories", json={"content": "x" * 900}).headers["Location"]
    refused = api.patch(path, json={"content": "y" * 1000})
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"].endswith('"bytes";q=1000;qu="content-bytes"')
    assert (refused.json()["quota"], refused.json()["used"]) == ("bytes", 902)
    assert api.get(path).json()["version"] == 1
    assert api.patch(path, json={"content": "z" * 800}).status_code == 200


def test_deleting_makes_room(api: httpx.Client) -> None:
    store(api, "a", "b", "c")
    memory = api.get("/memories").json()["memories"][0]
    assert api.delete(f"/memories/{memory['id']}").status_code == 204
    assert api.post("/memories", json={"content": "d"}).status_code == 201


def test_a_repeated_request_is_answered_although_nothing_more_fits(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": "once"}
    first = api.post("/memories", json={"content": "a"}, headers=headers)
    store(api, "b", "c")
    assert api.post("/memories", json={"content": "a"}, headers=headers).json()["id"] == first.json()["id"]
    assert api.post("/memories", json={"content": "d"}, headers={"Idempotency-Key": "new"}).status_code == 429


def test_an_agent_is_told_what_to_do(agent: Agent, api: httpx.Client) -> None:
    store(api, "a", "b", "c")
    assert "delete memories that are not needed any more" in agent.refused("store_memory", content="d")
