"""Cursors."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from memory_api import cursor
from memory_server.domain.queries import Position


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_stands_for_its_position(created_at: datetime, memory_id: object) -> None:
    position = Position(created_at, str(memory_id))

    assert cursor.decode(cursor.encode(position)) == position


@given(st.text())
def test_any_other_text_is_refused_or_stands_for_a_position(text: str) -> None:
    with contextlib.suppress(PydanticCustomError):
        position = cursor.decode(text)
        assert cursor.decode(cursor.encode(position)) == position


@pytest.mark.parametrize("text", ["", "x", "AAAA", "f" + "_" * 31, "\u00e9", "\ud800", "A" * 33])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        cursor.decode(text)
