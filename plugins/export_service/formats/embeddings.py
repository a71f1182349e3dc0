"""Embeddings as lists of numbers: each a float16, as the server stores it, in as few digits as tell it apart."""

from __future__ import annotations

import base64
import struct
import sys
from array import array
from collections.abc import Sequence
from functools import cache

_HEADER = struct.Struct(">hh")
MAX_DIMENSIONS = 16_000


def as_text(embedding: str) -> str:
    """Return the JSON array of ``embedding``, which is base64 of the halfvec that PostgreSQL sends."""
    data = base64.b64decode(embedding)
    dimensions, _ = _HEADER.unpack_from(data)
    numbers = array("H", data[_HEADER.size : _HEADER.size + 2 * dimensions])
    if sys.byteorder == "little":
        numbers.byteswap()
    return f"[{','.join(map(_digits().__getitem__, numbers))}]"


def as_halfvec(numbers: Sequence[float]) -> str:
    """Return base64 of the halfvec of ``numbers`` as PostgreSQL receives it.

    Raises:
        OverflowError: a number is beyond those of a float16.
    """
    count = len(numbers)
    return base64.b64encode(struct.pack(f">hh{count}e", count, 0, *numbers)).decode()


@cache
def _digits() -> list[str]:
    """Return the text of each float16 by its bits: five digits tell any two of them apart."""
    values = struct.unpack("=65536e", array("H", range(65536)).tobytes())
    return [f"{value:.5g}" if value else str(value) for value in values]  # -0 would be a whole number: no sign
