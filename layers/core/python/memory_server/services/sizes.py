"""How much one answer holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from plugin_kit.json_types import dumps
from plugin_kit.models import Memory

# A Lambda answers with 6 MB at most. Our JSON is a string inside its JSON, where a character may take twice the bytes.
MAX_ANSWER_BYTES: Final = 2_900_000

MAX_LAMBDA_BYTES: Final = 6_000_000


def size_in_lambda(content: bytes) -> int:
    """Return how many bytes of a Lambda's answer the UTF-8 text ``content`` takes at most: escaped, or in base64."""
    return max(len(dumps(content.decode()).encode()), -(-len(content) * 4 // 3))


def fitting(memories: Sequence[Memory]) -> int:
    """Return how many of ``memories``, from the first one on, fit into one answer; the first one always does."""
    size = 0
    for count, memory in enumerate(memories):
        size += len(dumps(memory.to_dict()).encode())
        if count and size > MAX_ANSWER_BYTES:
            return count
    return len(memories)
