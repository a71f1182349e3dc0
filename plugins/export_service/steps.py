"""How long the steps of jobs go on in one task, and pieces of files that one of them leaves for another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol, cast

from plugin_kit.context import Files
from plugin_kit.json_types import JsonValue


class Time:
    """The time that a task has for steps: well below its own 30 s, for it shares them with other tasks."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def is_up(self) -> bool:
        """Whether the next step is to be a task of its own."""
        return time.monotonic() >= self._until


class Digest(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


def piece(name: str, start: int, end: int) -> JsonValue:
    """Return what stands for the bytes from ``start`` to before ``end`` of the file ``name``."""
    return [name, start, end]


async def read_piece(files: Files, of: JsonValue) -> bytes:
    """Return a piece, or the whole file where ``of`` is a name.

    Raises:
        FileNotFoundError: the file is gone.
    """
    if isinstance(of, str):
        return await files.read(of)
    name, start, end = cast("Sequence[JsonValue]", of)
    return await files.read(str(name), start=cast(int, start), end=cast(int, end))
