"""Any memory that the API takes, as the line in which the server gives it."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from datetime import UTC

from hypothesis import strategies as st

from plugin_kit.json_types import JsonObject, dumps
from plugin_kit.models import MEMORY_TYPES, Memory

# Texts that formats are known to lose: separators of lines and cells, quotes, fences, marks, formulas, ends of lines.
AWKWARD = (
    "=1+1",
    "'=1+1",
    "''@x",
    "'tis",
    "-0.5",
    "+49 30",
    "@home",
    "\ttab",
    "\rcr",
    "\nlf",
    "\uff1d1",
    "a,b;c",
    'say "x"',
    '"""',
    "line\r\nbreak",
    "---\n---\n",
    "\n\n---",
    "null",
    "true",
    "1e5",
    "2026-01-01",
    "# head\n- item",
    "\u2028\u2029\x85",
    "\ufeffmark",
    "\x01\x1f\x7f",
    "\U0001f600 é e\u0301",
    "ends\n",
    " spaces ",
    "\\u0041\\",
    "{}",
    "[]",
    "\ufffe\uffff",
)

_characters = st.characters(exclude_characters="\0", exclude_categories=("Cs",))
texts = st.one_of(st.sampled_from(AWKWARD), st.text(_characters, min_size=1, max_size=60))
names = st.none() | texts.map(lambda text: text[:200])
tags = st.lists(texts.map(lambda text: text[:100]), max_size=6, unique=True).map(tuple)
numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
metadata = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=8,
).flatmap(lambda value: st.dictionaries(texts, st.just(value), max_size=3))
times = st.datetimes(timezones=st.just(UTC))

memories = st.builds(
    Memory,
    id=st.uuids().map(str),
    content=texts,
    memory_type=st.sampled_from(MEMORY_TYPES),
    project=names,
    session_id=names,
    tags=tags,
    importance=st.floats(0, 1),
    metadata=metadata,
    version=st.integers(1, 2**31 - 1),
    created_at=times,
    updated_at=times,
    expires_at=st.none() | times,
)
halves = st.floats(-1, 1, width=16)


def line(memory: Memory, *, deduplicate: bool = True, embedding: list[float] | None = None) -> bytes:
    """Return the line of a snapshot that is ``memory``."""
    record: dict[str, object] = {**memory.to_dict(), "deduplicate": deduplicate}
    if embedding is not None:
        data = struct.pack(f">hh{len(embedding)}e", len(embedding), 0, *embedding)
        record |= {"embedding_model": "a-model", "embedding": b64encode(data).decode()}
    return dumps(record).encode() + b"\n"


def fields(record: JsonObject | bytes) -> dict[str, object]:
    """Return the fields of a line that are equal where two lines mean the same: none of None, and not the owner."""
    values = json.loads(record) if isinstance(record, bytes) else record
    return {name: value for name, value in values.items() if value is not None and name != "user_id"}
