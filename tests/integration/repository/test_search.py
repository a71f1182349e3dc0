"""Search by meaning, by words, and by both."""

from __future__ import annotations

from math import acos

import pytest

from memory_server.domain.errors import InvalidRequest
from memory_server.domain.memories import MemoryDraft
from memory_server.domain.principals import LOCAL
from memory_server.domain.queries import Hit, MemoryFilter, SearchMode, SearchQuery
from memory_server.repository import search
from memory_server.repository.database import PostgresDatabase
from tests.integration.repository.conftest import MODEL, vector

# Content and cosine to the question's vector, which is vector(0).
TEXTS = {
    "the kettle boils water": 0.9,
    "apples grow on trees": 0.5,
    "a kettle and an apple": 0.1,
    "clouds are white": 0.0,
}


@pytest.fixture
async def stored(memory_database: PostgresDatabase) -> PostgresDatabase:
    await add(memory_database, TEXTS)
    return memory_database


async def add(database: PostgresDatabase, texts: dict[str, float], model_id: str = MODEL) -> None:
    drafts = [MemoryDraft(content=text) for text in texts]
    vectors = {index: vector(acos(cosine)) for index, cosine in enumerate(texts.values())}
    async with database.transaction(LOCAL) as unit:
        await unit.memories.add(drafts, vectors, model_id)


async def find(
    database: PostgresDatabase, text: str, mode: SearchMode = "hybrid", *, limit: int = 10, min_score: float = 0.0
) -> list[Hit]:
    query = SearchQuery(text=text, mode=mode, limit=limit, min_score=min_score)
    async with database.transaction(LOCAL) as unit:
        return await unit.memories.search(query, None if mode == "keyword" else vector(0), MODEL)


def contents(hits: list[Hit]) -> list[str]:
    return [hit.memory.content for hit in hits]


async def test_semantic_search_orders_by_cosine_which_is_the_score(stored: PostgresDatabase) -> None:
    hits = await find(stored, "no word of these", "semantic")
    assert contents(hits) == list(TEXTS)
    assert [hit.score for hit in hits] == pytest.approx(list(TEXTS.values()), abs=1e-3)
    assert [hit.explanation.semantic_rank for hit in hits] == [1, 2, 3, 4]
    assert {(hit.explanation.keyword_rank, hit.explanation.keyword_score) for hit in hits} == {(None, None)}


async def test_keyword_search_finds_any_of_the_words_in_any_form(stored: PostgresDatabase) -> None:
    hits = await find(stored, "What about an apple or growing kettles?", "keyword")
    assert set(contents(hits)) == {"apples grow on trees", "a kettle and an apple", "the kettle boils water"}
    assert all(0 < hit.score < 1 for hit in hits)
    assert hits == sorted(hits, key=lambda hit: -hit.score)
    assert [hit.explanation.keyword_rank for hit in hits] == [1, 2, 3]
    assert {hit.explanation.semantic_score for hit in hits} == {None}


async def test_hybrid_search_fuses_both_scores_over_the_union(stored: PostgresDatabase) -> None:
    hits = {hit.memory.content: hit for hit in await find(stored, "kettle and apple")}
    assert set(hits) == set(TEXTS)
    keyword = {text: hit.explanation.keyword_score or 0 for text, hit in hits.items()}
    weight = 0.7 * min(1, max(keyword.values()) / 0.4) ** 2
    for text, hit in hits.items():
        by_meaning = TEXTS[text] / 0.9  # the cosines of the union reach from 0 to 0.9
        by_words = keyword[text] / max(keyword.values())  # and one memory has none of the words
        assert hit.score == pytest.approx((1 - weight) * by_meaning + weight * by_words, abs=1e-3)
        assert hit.explanation.semantic_score == pytest.approx(TEXTS[text], abs=1e-3)
    assert (hits["clouds are white"].explanation.keyword_rank, keyword["clouds are white"]) == (None, 0)


async def test_one_common_word_does_not_outweigh_the_meaning(memory_database: PostgresDatabase) -> None:
    await add(memory_database, {"the pet is given a pill": 0.6, "the best of all days": 0.1})
    hits = await find(memory_database, "which medicine does our best animal friend take every morning")
    assert contents(hits)[0] == "the pet is given a pill"


async def test_the_best_by_words_is_found_although_fifty_others_are_nearer(memory_database: PostgresDatabase) -> None:
    await add(memory_database, {f"noise number {number}": 0.9 - number / 1000 for number in range(60)})
    await add(memory_database, {"the zebra sleeps": 0.0})
    assert contents(await find(memory_database, "zebra"))[0] == "the zebra sleeps"


async def test_a_question_of_stop_words_alone_is_answered_by_meaning(stored: PostgresDatabase) -> None:
    hits = await find(stored, "what is it and who are they")
    assert contents(hits) == list(TEXTS)
    assert hits[0].score == pytest.approx(0.9, abs=1e-3)
    assert await find(stored, "what is it", "keyword") == []


async def test_words_that_no_memory_has_leave_the_decision_to_meaning(stored: PostgresDatabase) -> None:
    hits = await find(stored, "xylophone")
    assert contents(hits) == list(TEXTS)
    assert hits[0].score == pytest.approx(0.9, abs=1e-3)


async def test_a_single_memory_with_the_word_has_the_full_score(memory_database: PostgresDatabase) -> None:
    await add(memory_database, {"the kettle boils": 0.2})
    [hit] = await find(memory_database, "kettle")
    assert hit.score == pytest.approx(1)


async def test_a_cosine_below_zero_scores_zero(memory_database: PostgresDatabase) -> None:
    await add(memory_database, {"opposite": -0.5})
    [hit] = await find(memory_database, "x", "semantic")
    assert hit.score == 0
    assert hit.explanation.semantic_score == pytest.approx(-0.5, abs=1e-3)


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
async def test_results_below_the_least_score_are_left_out(stored: PostgresDatabase, mode: SearchMode) -> None:
    hits = await find(stored, "kettle and apple", mode)
    bound = hits[1].score
    assert contents(await find(stored, "kettle and apple", mode, min_score=bound)) == [
        hit.memory.content for hit in hits if hit.score >= bound
    ]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
async def test_at_most_limit_results_come_back_and_a_high_limit_is_reached(
    memory_database: PostgresDatabase, mode: SearchMode
) -> None:
    await add(memory_database, {f"kettle number {number}": 0.9 - number / 1000 for number in range(120)})
    assert len(await find(memory_database, "kettle", mode, limit=3)) == 3
    assert len(await find(memory_database, "kettle", mode, limit=100)) == 100


async def test_of_equal_results_the_newer_comes_first(memory_database: PostgresDatabase) -> None:
    for text in ("the red kettle", "the blue kettle", "the green kettle"):
        await add(memory_database, {text: 0.5})
    for mode in ("hybrid", "semantic", "keyword"):
        hits = await find(memory_database, "kettle", mode)
        assert contents(hits) == ["the green kettle", "the blue kettle", "the red kettle"]


async def test_vectors_of_another_model_are_never_compared(memory_database: PostgresDatabase) -> None:
    await add(memory_database, {"the kettle of another model": 1.0}, model_id="another-model")
    await add(memory_database, {"the kettle of this model": 0.5})
    assert contents(await find(memory_database, "kettle", "semantic")) == ["the kettle of this model"]
    by_model = {hit.memory.content: hit.explanation for hit in await find(memory_database, "kettle")}
    assert by_model["the kettle of another model"].semantic_score is None
    assert by_model["the kettle of another model"].semantic_rank is None
    assert by_model["the kettle of another model"].keyword_score is not None


@pytest.mark.parametrize(
    "text", ["a & b | !c <-> d:*", "' \" \\ %s %(x)s {memory} $1", "x" * 70_000, "word " * 20_000, "日本語 🙂", "&", ""]
)
async def test_any_text_can_be_searched_for(stored: PostgresDatabase, text: str) -> None:
    assert len(await find(stored, text)) == 4


async def test_a_text_of_more_words_than_a_query_can_hold_is_the_requests_fault(stored: PostgresDatabase) -> None:
    with pytest.raises(InvalidRequest):
        await find(stored, " ".join(f"word{number}" for number in range(30_000)))


async def test_many_memories_are_searched_through_the_index_with_the_same_answer(
    stored: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await find(stored, "kettle and apple")
    monkeypatch.setattr(search, "EXACT_UP_TO", 2)
    assert await find(stored, "kettle and apple") == before
    query = SearchQuery(text="x", mode="semantic", filter=MemoryFilter(project="none"))
    async with stored.transaction(LOCAL) as unit:
        assert await unit.memories.search(query, vector(0), MODEL) == []
