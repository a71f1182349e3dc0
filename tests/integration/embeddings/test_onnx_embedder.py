"""ONNX Runtime gives the vectors of sentence-transformers, however the texts come."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from memory_server.adapters.onnx_embedder import ModelMissing, OnnxEmbedder
from tests.fixtures.vectors import cosine


async def test_its_vectors_are_those_of_sentence_transformers(
    embedder: OnnxEmbedder, reference: dict[str, list[float]]
) -> None:
    vectors = await embedder.embed(list(reference))

    assert len(reference) >= 30
    cosines = {text[:40]: cosine(a, b) for (text, a), b in zip(reference.items(), vectors, strict=True)}
    assert {text: value for text, value in cosines.items() if value < 0.9999} == {}


async def test_a_text_has_the_same_vector_alone_as_among_others(
    embedder: OnnxEmbedder, reference: dict[str, list[float]]
) -> None:
    together = await embedder.embed(list(reference))
    alone = [(await embedder.embed([text]))[0] for text in reference]

    assert min(cosine(a, b) for a, b in zip(together, alone, strict=True)) > 0.999999


async def test_texts_of_all_lengths_keep_their_order(embedder: OnnxEmbedder) -> None:
    texts = [f"memory {number} " + "and so on " * (number * 7 % 40) for number in range(60)]

    vectors = await embedder.embed(texts)

    for index in (0, 17, 42, 59):
        assert cosine(vectors[index], (await embedder.embed([texts[index]]))[0]) > 0.999999


async def test_every_vector_has_unit_length_and_the_dimensions_that_the_model_names(embedder: OnnxEmbedder) -> None:
    vectors = await embedder.embed(["", " ", "a", "some words", "long " * 1000])

    assert embedder.dimensions == 384
    assert [len(vector) for vector in vectors] == [384] * 5
    assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1.0] * 5, abs=1e-5)


async def test_meaning_brings_texts_together_that_share_no_word(embedder: OnnxEmbedder) -> None:
    question, answer, other = await embedder.embed(
        ["Which colour did she choose?", "Anna painted her kitchen blue.", "The invoice is due in May."]
    )

    assert cosine(question, answer) > cosine(question, other) + 0.1


async def test_no_texts_have_no_vectors(embedder: OnnxEmbedder) -> None:
    assert await embedder.embed([]) == []


async def test_calls_at_once_get_their_own_vectors(model_path: Path) -> None:
    unloaded = OnnxEmbedder(model_path)
    texts = [f"memory number {number}" for number in range(8)]

    at_once = await asyncio.gather(*(unloaded.embed([text]) for text in texts))

    one_by_one = [await unloaded.embed([text]) for text in texts]
    assert min(cosine(a[0], b[0]) for a, b in zip(at_once, one_by_one, strict=True)) > 0.999999


async def test_a_query_does_not_wait_for_a_large_batch(embedder: OnnxEmbedder) -> None:
    batch = asyncio.create_task(embedder.embed(["word " * 300] * 80))
    await asyncio.sleep(0)

    await embedder.embed(["a query"])

    assert not batch.done()
    batch.cancel()


def test_a_missing_model_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="run `make model`"):
        OnnxEmbedder(tmp_path)
