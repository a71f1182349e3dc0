"""What the steps of backups and restores work with, all of it for one user."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Final, cast

from plugin_kit.context import Context, Files, MemoryService
from plugin_kit.errors import ServiceFailed

from .configuration import Configuration
from .faults import KeyFailed
from .records import Backups
from .run_records import Runs

MAY_PASS: Final = (ServiceFailed, KeyFailed, FileNotFoundError)
"""What a step may meet that is gone the next time."""

MAX_TRIES: Final = 6
"""So many times in a row a step may fail, or may be found lying, before the whole has failed."""

_TASK_SECONDS: Final = 10.0
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The services and records of the user ``user_id``."""

    user_id: str
    cause: str
    memories: MemoryService
    files: Files
    backups: Backups
    runs: Runs
    configuration: Configuration
    logger: logging.Logger

    @classmethod
    def of(cls, context: Context) -> Work:
        """Return what ``context`` brings; it is that of an event of a user."""
        user_id = cast(str, context["user_id"])
        database = context["database_service"]
        return cls(
            user_id=user_id,
            cause=str(context["metadata"]["event_id"]),
            memories=context["memory_service"],
            files=database.files,
            backups=Backups(database, user_id),
            runs=Runs(database, user_id),
            configuration=Configuration.of(context),
            logger=context["logger"],
        )

    async def delete_files(self, names: Iterable[str]) -> None:
        """Delete files of the plugin, those that there are."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def delete(name: str) -> None:
            async with gate:
                await self.files.delete(name)

        await asyncio.gather(*(delete(name) for name in names))


class Time:
    """How long a task may go on with its next part, before it leaves that to another task."""

    def __init__(self) -> None:
        self._until = monotonic() + _TASK_SECONDS

    @property
    def left(self) -> bool:
        """Whether there is time for another part."""
        return monotonic() < self._until


def wait_seconds(tries: int) -> int:
    """Return after how long a step that failed is tried again."""
    return 2**tries
