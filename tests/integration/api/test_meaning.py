"""Search by meaning, with the real model: 300 sentences, and questions worded differently from their answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.fixtures.api import api_over_uvicorn

DATA: Final = Path(__file__).parents[2] / "data"
MODEL: Final = Path(__file__).parents[3] / "layers/embedding_model/model"
QUESTIONS: Final = [tuple(line.split("\t")) for line in (DATA / "questions.tsv").read_text().splitlines()]
ELSEWHERE: Final = 99


@pytest.fixture(scope="module")
def server(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """The API with the model in its own process, and the sentences stored."""
    assert environment
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_PATH", str(MODEL))
        with api_over_uvicorn() as client:
            memories = [{"content": line} for line in (DATA / "sentences.txt").read_text().splitlines()]
            stored = client.post("/memories/batch", json={"memories": memories}, timeout=300)
            assert (stored.status_code, len(stored.json()["results"])) == (200, 300)
            yield client


def place(server: httpx.Client, mode: str, question: str, answer: str) -> int:
    """Return at which place among the first ten the question finds its answer."""
    results = server.post("/memories/search", json={"query": question, "mode": mode}).json()["results"]
    contents = [result["memory"]["content"] for result in results]
    return contents.index(answer) + 1 if answer in contents else ELSEWHERE


@pytest.mark.parametrize(("mode", "first", "among_ten"), [("semantic", 27, 35), ("hybrid", 26, 35)])
def test_questions_find_the_sentences_that_answer_them(
    server: httpx.Client, mode: str, first: int, among_ten: int
) -> None:
    places = {question: place(server, mode, question, answer) for question, answer in QUESTIONS}
    later = {question: place for question, place in places.items() if place > 1}

    assert len(places) == 36
    assert len(places) - len(later) >= first, later
    assert sum(place <= 10 for place in places.values()) >= among_ten, later
