"""How much a user may have stored, and how much it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

QuotaName: TypeAlias = Literal["memories", "bytes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """What each user may have, 0 for any number.

    ``bytes`` are those of the memories, as ``Usage`` counts them; their history may have as many again.
    """

    memories: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return bool(self.memories or self.bytes)


NO_QUOTAS: Final = Quotas()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a user has: memories, expired ones too until they make room, their bytes, and those of their history.

    The bytes of a memory are those of its content and its tags in UTF-8, and of its metadata as JSON.
    """

    memories: int
    bytes: int
    history_bytes: int
