"""Searching."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fixtures.embedder_function import EmbedderFunction

SENTENCES = [
    {"content": "We chose PostgreSQL for the billing service.", "project": "billing", "memory_type": "decision"},
    {"content": "The deployment failed because the disk was full.", "project": "ops", "memory_type": "error"},
    {"content": "Ada prefers short answers.", "project": "people", "tags": ["ada"], "metadata": {"team": {"id": 7}}},
]


def search(api: httpx.Client, **body: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # a body of JSON
    response = api.post("/memories/search", json=body)
    assert response.status_code == 200, response.text
    return response.json()["results"]


@pytest.fixture
def told(api: httpx.Client) -> httpx.Client:
    """A client whose user has three memories."""
    assert api.post("/memories/batch", json={"memories": SENTENCES}).status_code == 200
    return api


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_a_memory_is_found_by_a_question_about_it(told: httpx.Client, mode: str) -> None:
    response = told.post("/memories/search", json={"query": "Which service uses PostgreSQL for billing?", "mode": mode})

    answer = response.json()
    assert answer["mode"] == mode
    assert (answer["model"] is None) == (mode == "keyword")
    assert answer["results"][0]["memory"]["content"] == SENTENCES[0]["content"]
    scores = [result["score"] for result in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert "explain" not in answer["results"][0]


def test_ranks_and_scores_are_told_where_they_are_asked_for(told: httpx.Client) -> None:
    first = search(told, query="the disk was full", explain=True)[0]

    assert first["explain"]["keyword_rank"] == 1
    assert first["explain"]["semantic_rank"] is not None
    assert first["explain"]["semantic_score"] > 0
    assert search(told, query="the disk was full", explain=True, mode="keyword")[0]["explain"]["semantic_rank"] is None


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"project": "ops"}, 1),
        ({"memory_type": ["decision", "error"]}, 2),
        ({"tags_all": ["ada"]}, 1),
        ({"metadata": {"team": {"id": 7}}}, 1),
        ({"metadata": {"team": {"id": 8}}}, 0),
        ({"min_importance": 0.6}, 0),
        ({"until": "2020-01-01T00:00:00Z"}, 0),
        ({}, 3),
    ],
)
def test_results_fulfil_every_condition(told: httpx.Client, conditions: dict[str, object], expected: int) -> None:
    assert len(search(told, query="service disk answers", **conditions)) == expected


def test_at_most_the_limit_is_found_and_nothing_below_the_score(told: httpx.Client) -> None:
    results = search(told, query="the billing service")

    assert len(search(told, query="the billing service", limit=1)) == 1
    assert search(told, query="the billing service", min_score=results[0]["score"]) == results[:1]


def test_a_change_of_content_is_found_and_what_was_there_is_not(told: httpx.Client) -> None:
    memory = search(told, query="disk", mode="keyword")[0]["memory"]
    told.patch(f"/memories/{memory['id']}", json={"content": "The certificate had run out."})

    assert search(told, query="disk", mode="keyword") == []
    assert search(told, query="certificate")[0]["memory"]["id"] == memory["id"]


def test_a_deleted_memory_is_not_found(told: httpx.Client) -> None:
    memory = search(told, query="disk")[0]["memory"]
    told.delete(f"/memories/{memory['id']}")

    assert memory["id"] not in [result["memory"]["id"] for result in search(told, query="disk")]


@pytest.mark.parametrize("query", ["'", "%", "a & | ! <->", "\\", "\U0001f600", " ", "the", "x" * 8192, "-" * 100])
def test_no_words_break_a_search(told: httpx.Client, query: str) -> None:
    for mode in ("hybrid", "semantic", "keyword"):
        search(told, query=query, mode=mode)


def test_a_query_and_a_content_that_came_before_are_not_embedded_again(
    told: httpx.Client, embedder_function: EmbedderFunction
) -> None:
    search(told, query="asked twice")
    embedder_function.embedded.clear()

    search(told, query="asked twice")
    told.post("/memories", json=SENTENCES[0])
    told.post("/memories/batch", json={"memories": [*SENTENCES, {"content": "new"}, {"content": "new"}]})
    path = told.post("/memories", json={"content": "new"}).headers["Location"]
    told.patch(path, json={"content": "new", "importance": 1})
    told.patch(path, json={"project": "billing"})
    assert told.patch(path, json={"content": SENTENCES[0]["content"]}).status_code == 409

    assert embedder_function.embedded == ["new"]


def test_without_the_embedder_what_needs_no_new_vector_goes_on_and_the_rest_says_what_is_missing(
    told: httpx.Client, embedder_function: EmbedderFunction
) -> None:
    embedder_function.away = True
    try:
        refused = told.post("/memories/search", json={"query": "never asked before"})
        stored = told.post("/memories", json={"content": "cannot be embedded"})
        again = told.post("/memories", json=SENTENCES[0])
        changed = told.patch(again.headers["Location"], json={"importance": 1})
        found = search(told, query="disk", mode="keyword")
    finally:
        embedder_function.away = False

    for answer in (refused, stored):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "embedder" in answer.json()["detail"]
    assert (again.status_code, changed.status_code) == (200, 200)
    assert len(found) == 1
    assert told.post("/memories", json={"content": "cannot be embedded"}).status_code == 201
