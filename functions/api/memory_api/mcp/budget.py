"""How many tokens an answer takes, and what of a text fits."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, Field

DEFAULT_TOKENS: Final = 8000
MIN_TOKENS: Final = 500
MAX_TOKENS: Final = 100_000
# Four letters, three digits, one sign, a run of white space: models differ, and most take fewer for the same text.
_PIECE: Final = re.compile(r"[A-Za-z]{1,4}|[0-9]{1,3}|[^\sA-Za-z0-9]|\s{2,16}")
# No piece is longer: so many characters and more never fit into one token less.
LONGEST_PIECE: Final = 16

MaxTokens: TypeAlias = Annotated[
    int,
    Field(
        strict=True,
        ge=MIN_TOKENS,
        le=MAX_TOKENS,
        description="The answer takes at most about so many tokens, its text and its JSON together.",
    ),
]


class Budgeted(BaseModel):
    """Arguments of a tool whose answer may be long."""

    max_tokens: MaxTokens = DEFAULT_TOKENS


def tokens(text: str) -> int:
    """Return how many tokens ``text`` takes in a model's context: an estimate that is rather too high."""
    return sum(1 for _ in _PIECE.finditer(text))


def longest_prefix(text: str, cost: Callable[[str], int], room: int) -> str:
    """Return as much of the beginning of ``text`` as costs at most ``room`` tokens."""
    limit = min(len(text), max(room, 0) * LONGEST_PIECE)
    length = bisect.bisect_right(range(1, limit + 1), room, key=lambda size: cost(text[:size]))
    return text[:length]
