"""An answer to an agent stays within its budget, says what was cut, and leads to the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from memory_api.mcp.budget import MIN_TOKENS, tokens
from tests.integration.api.agent import Agent

BUDGETS = (MIN_TOKENS, 2_000, 8_000)
WORDS = 'The lighthouse keeper wrote: "storm at 4.30, wind from the north" \n'
LONGEST: dict[str, Any] = {
    "content": (WORDS * 1000)[:65_000],
    "project": "\U0001f5fc" * 200,
    "session_id": "é" * 200,
    "tags": [f"{n:02}" + "x!" * 49 for n in range(50)],
    "metadata": {"log": "a-b " * 4000},
}


def spent(result: dict[str, Any]) -> int:
    """Return what the whole answer takes."""
    [content] = result["content"]
    return tokens(content["text"]) + tokens(json.dumps(result["structuredContent"], ensure_ascii=False))


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_list_of_long_memories_stays_within_its_budget_and_leads_through_all(agent: Agent, budget: int) -> None:
    ids = {agent.call("store_memory", **{**LONGEST, "content": f"{n} {LONGEST['content']}"})["id"] for n in range(3)}
    ids |= {agent.call("store_memory", content=f"short {n}")["id"] for n in range(3)}
    seen: list[str] = []
    cursor = None
    while len(seen) < len(ids):
        result = agent.result("list_memories", cursor=cursor, max_tokens=budget)
        assert 0 < spent(result) <= budget
        page = result["structuredContent"]
        seen += [memory["id"] for memory in page["memories"]]
        cursor = page["next_cursor"]
    assert (sorted(seen), cursor) == (sorted(ids), None)


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_search_shows_a_part_of_each_long_memory_and_counts_what_it_leaves_out(agent: Agent, budget: int) -> None:
    for n in range(8):
        agent.call("store_memory", content=f"{n} {LONGEST['content']}"[:60_000])

    result = agent.result("search_memories", query="lighthouse", max_tokens=budget)

    assert 0 < spent(result) <= budget
    found = result["structuredContent"]
    shown = found["results"]
    assert len(shown) + found["omitted"] == 8
    assert f"{found['omitted']} more did not fit: raise max_tokens, or narrow the search." in found["note"]
    assert found["note"] in result["content"][0]["text"]
    if budget > MIN_TOKENS:
        assert len(shown) >= 3
        assert all(hit["memory"]["cut"] == ["content"] and len(hit["memory"]["content"]) > 100 for hit in shown)


@pytest.mark.parametrize("budget", BUDGETS[1:])
def test_a_long_memory_is_read_part_by_part(agent: Agent, budget: int) -> None:
    content = LONGEST["content"][:15_000]
    memory_id = agent.call("store_memory", content=content)["id"]
    parts: list[str] = []
    offset = 0
    while offset is not None:
        result = agent.result("get_memory", memory_id=memory_id, offset=offset, max_tokens=budget)
        assert spent(result) <= budget
        answer = result["structuredContent"]
        parts.append(answer["memory"]["content"])
        offset = answer["next_offset"]
        if offset is not None:
            assert f"call get_memory with offset {offset}" in result["content"][0]["text"]
    assert "".join(parts) == content


def test_a_document_is_fetched_part_by_part(agent: Agent) -> None:
    content = LONGEST["content"][:15_000]
    memory_id = agent.call("store_memory", **{**LONGEST, "content": content})["id"]
    parts: list[str] = []
    offset = 0
    while offset is not None:
        result = agent.result("fetch", id=memory_id, offset=offset, max_tokens=4_000)
        assert spent(result) <= 4_000
        document = result["structuredContent"]
        parts.append(document["text"])
        offset = document["metadata"].get("next_offset")
    assert "".join(parts) == content


def test_what_is_left_out_of_one_memory_is_named(agent: Agent) -> None:
    memory_id = agent.call("store_memory", **LONGEST)["id"]

    small = agent.call("get_memory", memory_id=memory_id, max_tokens=MIN_TOKENS)
    large = agent.call("get_memory", memory_id=memory_id, max_tokens=100_000)

    assert small["memory"]["cut"] == ["content", "metadata", "tags", "session_id", "project"]
    assert "Left out: metadata, tags, session_id, project; raise max_tokens to see them." in small["note"]
    assert (large["memory"]["cut"], large["note"]) == ([], None)
    assert {name: large["memory"][name] for name in LONGEST} == LONGEST


def test_without_a_budget_an_answer_has_a_sensible_one(agent: Agent) -> None:
    for n in range(8):
        agent.call("store_memory", content=f"{n} {LONGEST['content']}"[:60_000])
    for result in (agent.result("list_memories"), agent.result("search_memories", query="lighthouse")):
        assert 4_000 < spent(result) <= 8_000


def test_links_of_documents_stay_within_their_budget(agent: Agent) -> None:
    for n in range(10):
        agent.call("store_memory", content=f"{n} {LONGEST['content']}"[:1_000])
    result = agent.result("search", query="lighthouse", max_tokens=MIN_TOKENS)
    assert 0 < spent(result) <= MIN_TOKENS
    assert len(agent.call("search", query="lighthouse")["results"]) == 10
