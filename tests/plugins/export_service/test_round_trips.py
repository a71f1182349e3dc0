"""Any memory that the API takes survives each format of exports, whole."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin_kit.models import Memory
from plugins.export_service.formats.writing import EXPORT_FORMATS
from tests.plugins.export_service.files import exported, imported
from tests.plugins.export_service.memories import AWKWARD, fields, halves, line, memories

every_format = pytest.mark.parametrize("form", EXPORT_FORMATS)


@every_format
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_field_of_any_memory_comes_back(form: str, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.tuples(memories, st.booleans()), max_size=5, unique_by=lambda pair: pair[0].id))
    lines = [line(memory, deduplicate=deduplicate) for memory, deduplicate in chosen]
    cut = data.draw(st.integers(0, len(lines)))
    parts = [part for part in (b"".join(lines[:cut]), b"".join(lines[cut:])) if part] or [b""]
    size = data.draw(st.integers(1, 400))
    back = imported(form, exported(form, parts), size=size)
    assert [fields(one) for one in back] == [fields(one) for one in lines]


@every_format
@settings(max_examples=30, deadline=None)
@given(vector=st.lists(halves, min_size=1, max_size=20))
def test_an_embedding_comes_back_to_the_bit(form: str, vector: list[float]) -> None:
    memory = Memory.from_dict({"id": "019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40", "content": "x", **TIMES})
    given_line = line(memory, embedding=vector)
    (back,) = imported(form, exported(form, [given_line], embeddings=True))
    assert json.loads(back)["embedding"] == json.loads(given_line)["embedding"]
    assert json.loads(back)["embedding_model"] == "a-model"


TIMES = {"created_at": "2026-01-31T12:00:00.000001+00:00", "updated_at": "2026-01-31T12:00:00.000001+00:00"}


def awkward() -> bytes:
    return b"".join(
        line(
            Memory.from_dict(
                {
                    "id": f"019a9c3e-7b52-7c11-9d2f-{number:012}",
                    "content": text,
                    "project": text,
                    "tags": [text, "a,b"],
                    "metadata": {text: {"nested": [text, 0.1]}},
                    **TIMES,
                }
            )
        )
        for number, text in enumerate(AWKWARD)
    )


@every_format
def test_texts_that_formats_are_known_to_lose_come_back(form: str) -> None:
    back = imported(form, exported(form, [awkward()]))
    assert [fields(one) for one in back] == [fields(one) for one in awkward().splitlines()]


def test_json_is_one_document_for_every_reader() -> None:
    document = json.loads(exported("json", [awkward(), awkward()]))
    assert len(document["memories"]) == 2 * len(AWKWARD)
    assert json.loads(exported("json", [b""])) == {"format": "mcp-memory-server/1", "memories": []}


def test_no_cell_of_the_csv_begins_like_a_formula() -> None:
    text = exported("csv", [awkward()]).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline=""), strict=True) for cell in row]
    assert len(cells) > len(AWKWARD)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))] == []


def test_the_markdown_archive_is_sound_and_its_front_matter_is_yaml_to_any_reader() -> None:
    file = exported("markdown", [awkward(), b"", awkward().replace(b"019a9c3e", b"119a9c3e")])
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == 2 * len(AWKWARD)
        for name, text in zip(archive.namelist(), AWKWARD, strict=False):
            front = archive.read(name).decode().split("---\n", 2)[1]
            assert yaml.safe_load(front)["metadata"] == {text: {"nested": [text, 0.1]}}
            assert yaml.safe_load(front)["project"] == text
