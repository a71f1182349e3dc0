"""Counts of memories in more groups than the server counts at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from plugin_kit.context import MemoryService
from plugin_kit.errors import AnswerTooLarge
from plugin_kit.json_types import JsonObject

_SHORTEST: Final = timedelta(seconds=1)


async def counted(
    memories: MemoryService,
    by: Sequence[str],
    *,
    since: datetime,
    until: datetime | None = None,
    project: str | None = None,
    deleted: bool = False,
) -> AsyncGenerator[JsonObject]:
    """Yield rows as ``memories.count`` returns them; a time of too many is halved, and rows of one group then add up.

    Raises:
        AnswerTooLarge: a single second has too many.
    """
    times: list[tuple[datetime, datetime | None]] = [(since, until)]
    while times:
        start, end = times.pop()
        try:
            rows = await memories.count(by, project=project, since=start, until=end, deleted=deleted)
        except AnswerTooLarge:
            length = (end or datetime.now(UTC)) - start
            if length <= _SHORTEST:
                raise
            middle = start + length / 2
            times += [(middle, end), (start, middle)]
        else:
            for row in rows:
                yield row
