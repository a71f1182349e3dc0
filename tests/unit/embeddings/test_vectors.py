"""A vector goes through bytes and comes out the same."""

from __future__ import annotations

import pytest

from memory_server.domain.vectors import pack, unpack


def test_bytes_are_float32_little_endian() -> None:
    assert pack([1.0, -2.0]) == bytes.fromhex("0000803f000000c0")


def test_a_vector_comes_out_of_its_bytes_as_it_went_in() -> None:
    assert unpack(pack([0.5, -0.25, 0.0])) == [0.5, -0.25, 0.0]


def test_bytes_that_are_no_vector_are_refused() -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        unpack(b"12345")
