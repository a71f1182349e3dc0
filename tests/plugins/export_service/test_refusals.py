"""A file that is wrong is refused with the line, the file of an archive and the field, and with what would be right."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
import zstandard

from plugins.export_service.formats.faults import FormatError
from tests.plugins.export_service.files import imported

LINE = '{"content": "Tea at five."}\n'
ZSTD = zstandard.ZstdCompressor().compress(LINE.encode() * 99)

BAD_LINES = [
    ('{"content": 1}', "content", "must be a text, not 1"),
    ('{"content": ""}', "content", "must be 1 to 65,536 bytes"),
    ('{"tags": []}', "content", "is missing"),
    ('{"content": "x", "importance": 2}', "importance", "must be a number from 0 to 1, not 2"),
    ('{"content": "x", "memory_type": "idea"}', "memory_type", "must be one of conversation"),
    ('{"content": "x", "created_at": "yesterday"}', "created_at", "must be a time with its offset"),
    ('{"content": "x", "tags": "a"}', "tags", "must be a list of texts"),
    ('{"content": "x", "metadata": []}', "metadata", "must be a JSON object"),
    ('{"content": "x", "id": "7"}', "id", "must be a UUID"),
    ('{"content": "x", "project": ""}', "project", "must be 1 to 1,024 bytes"),
    ('{"content": "x", "Content": "y"}', "Content", "is not known"),
    ('{"content": "a\\u0000b"}', "content", "NUL"),
    ('{"content": "\\ud800"}', "content", "half of a surrogate pair"),
    ('{"content": "x", "metadata": {"a": NaN}}', None, "is not JSON"),
    ('{"content": "x"', None, "is not JSON"),
    ('["x"]', "memory", "must be a JSON object"),
]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("line", "field", "says"), BAD_LINES)
def test_a_wrong_line_is_refused_with_its_number_and_field(line: str, field: str | None, says: str, size: int) -> None:
    with pytest.raises(FormatError, match=says) as refused:
        imported("jsonl", f"{LINE}\n{line}\n{LINE}".encode(), size=size)
    assert (refused.value.line, refused.value.field) == (3, field)
    assert str(refused.value).startswith("line 3: ")


BAD_FILES = [
    ("json", '{"memories": [\n{"content": "x"},\n{"content": "y", "version": 0}\n]}', 3, "version: must be a whole"),
    ("json", '{"memories": [\n{"content": "x"},\n{"content": ', 2, "it is cut off"),
    ("json", '{"memories": [\n{"content": "x"}\n{"content": "y"}\n]}', 3, "Expecting"),
    ("json", '{"notes": []}', 1, "has no list of memories"),
    ("csv", 'content,tags\r\n"two\r\nlines",\r\nx,not json\r\n', 4, "tags: is not JSON"),
    ("csv", "content,tags\r\nx\r\n", 2, "has 1 cells: the header has 2"),
    ("csv", "content,colour\r\nx,red\r\n", 1, "column 2 has the name 'colour'"),
    ("csv", "tags\r\n[]\r\n", 1, "content: has no such column"),
    ("csv", 'content\r\n"open', 2, "is not CSV"),
    ("csv", "", 1, "is empty"),
    ("mcp-memory", '{"type": "thing"}', 1, 'type: must be "entity" or "relation"'),
    ("mcp-memory", '{"type": "entity", "name": "A", "entityType": "p"}', 1, "observations: is missing"),
    ("mcp-memory-service", '{"memories": [{"tags": []}]}', 1, "content: must be a text, not null"),
    ("mem0", '{"results": [\n{"id": "1"}]}', 2, "memory: is missing"),
]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("form", "text", "line", "says"), BAD_FILES)
def test_a_file_that_is_wrong_is_refused_with_its_line(form: str, text: str, line: int, says: str, size: int) -> None:
    with pytest.raises(FormatError) as refused:
        imported(form, text.encode(), size=size)
    assert refused.value.line == line
    assert says in str(refused.value)


@pytest.mark.parametrize("data", [ZSTD[:-1], ZSTD[:-9], gzip.compress(LINE.encode())[:-1], b"\x1f\x8b?"])
def test_a_file_that_is_cut_off_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="it is damaged or cut off"):
        imported("jsonl", data)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(FormatError, match="line 2: is not UTF-8: it has the byte 0xff"):
        imported("jsonl", LINE.encode() + b'{"content": "\xff"}')


def archive(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in files.items():
            made.writestr(f"{name}.md", text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("---\nimportance: 3\n---\n\nx", "note.md: importance: must be a number from 0 to 1, not 3"),
        ("---\naliases: [x]\n---\nx", "note.md: aliases: is not known"),
        ("---\ntags: [a\n---\nx", "its front matter is not YAML"),
        ("---\n- a\n---\nx", "its front matter must be lines of the form name: value"),
        ("---\nmetadata: &a {b: 1}\ntags: *a\n---\nx", "has an alias"),
        ("---\nimportance: 0.5\n---\n", "note.md: content: must be 1 to 65,536 bytes"),
    ],
)
def test_a_note_that_is_wrong_is_refused_with_its_file(text: str, says: str) -> None:
    with pytest.raises(FormatError) as refused:
        imported("markdown", archive(fine="x", note=text))
    assert refused.value.file == "note.md"
    assert says in str(refused.value)


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(FormatError, match="the ZIP archive cannot be read"):
        imported("markdown", b"no archive")
