"""Embeddings as lists of numbers: each a float16, as the server stores it, in as few digits as tell it apart."""

from __future__ import annotations

import base64
import struct
import sys
from array import array
from collections.abc import Sequence
from functools import cache

_HEADER = struct.Struct(">hh")
_FLOAT16 = struct.Struct("e")
_FLOAT16S = struct.Struct("=65536e")
MAX_DIMENSIONS = 16_000


def as_json(embedding: str) -> bytes:
    """Return the JSON array of ``embedding``, which is base64 of the halfvec that PostgreSQL sends."""
    data = base64.b64decode(embedding)
    dimensions, _ = _HEADER.unpack_from(data)
    numbers = array("H", data[_HEADER.size : _HEADER.size + 2 * dimensions])
    if sys.byteorder == "little":
        numbers.byteswap()
    return f"[{','.join(map(_digits().__getitem__, numbers))}]".encode()


def as_halfvec(numbers: Sequence[float]) -> str:
    """Return base64 of the halfvec of ``numbers`` as PostgreSQL receives it.

    Raises:
        OverflowError: a number is beyond those of a float16.
    """
    count = len(numbers)
    return base64.b64encode(struct.pack(f">hh{count}e", count, 0, *numbers)).decode()


@cache
def _digits() -> list[str]:
    """Return the text of each float16 by its bits."""
    values = _FLOAT16S.unpack(array("H", range(65536)).tobytes())
    return [_shortest(value) if value else str(value) for value in values]  # -0 would be a whole number: no sign


def _shortest(value: float) -> str:
    """Return as few digits as are rounded to the float16 ``value`` again: five tell any two of them apart."""
    texts = (f"{value:.{digits}g}" for digits in (3, 4))
    return next((text for text in texts if _rounded(float(text)) == value), f"{value:.5g}")


def _rounded(value: float) -> float:
    return _FLOAT16.unpack(_FLOAT16.pack(value))[0]
