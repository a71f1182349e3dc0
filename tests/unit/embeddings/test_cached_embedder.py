"""A query is embedded once; what the caches knew of it is reported to plugins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from memory_server.domain.errors import Unavailable
from memory_server.domain.memories import Vector
from memory_server.domain.principals import Principal
from memory_server.services.embeddings import CachedEmbedder
from memory_server.services.events import Events
from plugin_kit.envelope import Event
from tests.fixtures.embedder import FakeEmbedder

ANNA = Principal("anna")
BEN = Principal("ben")


@dataclass
class Cache:
    """An EmbeddingCache of one dictionary, which every process of a test shares."""

    vectors: dict[tuple[str, str], list[float]] = field(default_factory=dict[tuple[str, str], list[float]])

    async def get(self, user_id: str, key: str) -> Vector | None:
        return self.vectors.get((user_id, key))

    async def put(self, user_id: str, key: str, vector: Vector) -> None:
        self.vectors[user_id, key] = list(vector)


@dataclass
class Observations:
    """The part of Events that observing uses."""

    seen: list[Event] = field(default_factory=list[Event])

    def observed(self, events: Sequence[Event]) -> None:
        self.seen += events

    @property
    def hooks(self) -> list[str]:
        return [event.hook for event in self.seen]


def cached(
    embedder: FakeEmbedder, cache: Cache, observations: Observations, *, max_entries: int = 10
) -> CachedEmbedder:
    return CachedEmbedder(embedder, cache, cast(Events, observations), max_entries=max_entries)


async def test_a_query_is_embedded_once() -> None:
    embedder = FakeEmbedder()
    subject = cached(embedder, Cache(), Observations())

    first = await subject.embed_query("blue kitchen", ANNA)
    second = await subject.embed_query("blue kitchen", ANNA)

    assert embedder.embedded == ["blue kitchen"]
    assert second == pytest.approx(first, abs=1e-7)
    assert first == pytest.approx((await FakeEmbedder().embed(["blue kitchen"]))[0])


async def test_a_new_process_finds_the_query_in_the_shared_cache() -> None:
    cache, embedder = Cache(), FakeEmbedder()
    await cached(FakeEmbedder(), cache, Observations()).embed_query("blue kitchen", ANNA)

    await cached(embedder, cache, Observations()).embed_query("blue kitchen", ANNA)

    assert embedder.embedded == []


async def test_what_the_shared_cache_gave_is_kept_in_the_process() -> None:
    cache, embedder = Cache(), FakeEmbedder()
    await cached(FakeEmbedder(), cache, Observations()).embed_query("blue kitchen", ANNA)
    subject = cached(embedder, cache, Observations())
    await subject.embed_query("blue kitchen", ANNA)
    cache.vectors.clear()

    await subject.embed_query("blue kitchen", ANNA)

    assert embedder.embedded == []


async def test_the_process_forgets_the_query_that_was_used_longest_ago() -> None:
    cache, embedder = Cache(), FakeEmbedder()
    subject = cached(embedder, cache, Observations(), max_entries=2)
    for text in ("one", "two", "one", "three"):
        await subject.embed_query(text, ANNA)
    cache.vectors.clear()
    embedder.embedded.clear()

    for text in ("one", "three", "two"):
        await subject.embed_query(text, ANNA)

    assert embedder.embedded == ["two"]


async def test_a_user_does_not_learn_what_another_has_asked() -> None:
    embedder, observations = FakeEmbedder(), Observations()
    subject = cached(embedder, Cache(), observations)

    await subject.embed_query("blue kitchen", ANNA)
    await subject.embed_query("blue kitchen", BEN)

    assert embedder.embedded == ["blue kitchen", "blue kitchen"]
    assert "cache_hit" not in observations.hooks
    keys = {str(event.args["key"]) for event in observations.seen}
    assert len(keys) == 2


async def test_a_vector_of_another_model_is_not_used() -> None:
    cache, embedder = Cache(), FakeEmbedder(model_id="newer")
    await cached(FakeEmbedder(), cache, Observations()).embed_query("blue kitchen", ANNA)

    await cached(embedder, cache, Observations()).embed_query("blue kitchen", ANNA)

    assert embedder.embedded == ["blue kitchen"]


async def test_the_first_query_is_reported_as_a_miss_and_an_update_and_the_next_as_a_hit() -> None:
    observations = Observations()
    subject = cached(FakeEmbedder(), Cache(), observations)

    vector = await subject.embed_query("blue kitchen", ANNA)
    assert observations.hooks == ["cache_miss", "cache_updated"]
    await subject.embed_query("blue kitchen", ANNA)
    assert observations.hooks == ["cache_miss", "cache_updated", "cache_hit"]

    miss, update, hit = observations.seen
    assert {event.user_id for event in observations.seen} == {"anna"}
    assert str(miss.args["key"]).startswith("embedding:")
    assert miss.args["key"] == update.args["key"] == hit.args["key"]
    assert update.args["value"] == pytest.approx(vector)
    assert hit.args["value"] == pytest.approx(vector, abs=1e-7)


async def test_the_text_of_a_query_stands_in_no_event() -> None:
    observations = Observations()

    await cached(FakeEmbedder(), Cache(), observations).embed_query("blue kitchen", ANNA)

    assert "blue kitchen" not in str(observations.seen)


async def test_a_query_that_cannot_be_embedded_is_reported_as_a_miss_and_not_kept() -> None:
    embedder, cache, observations = FakeEmbedder(), Cache(), Observations()
    embedder.away = True
    subject = cached(embedder, cache, observations)

    with pytest.raises(Unavailable):
        await subject.embed_query("blue kitchen", ANNA)

    assert observations.hooks == ["cache_miss"]
    assert cache.vectors == {}


async def test_documents_pass_the_caches_by() -> None:
    embedder, cache, observations = FakeEmbedder(), Cache(), Observations()
    subject = cached(embedder, cache, observations)

    vectors = [await subject.embed(["a", "b"]), await subject.embed(["a", "b"])]

    assert vectors[0] == vectors[1]
    assert embedder.embedded == ["a", "b", "a", "b"]
    assert cache.vectors == {}
    assert observations.seen == []


async def test_it_answers_a_ping_as_its_embedder_does() -> None:
    embedder = FakeEmbedder()
    subject = cached(embedder, Cache(), Observations())

    await subject.ping()
    embedder.away = True
    with pytest.raises(Unavailable):
        await subject.ping()
