"""What a user has stored, held against their quotas in the transaction that adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from psycopg.rows import DictRow

from memory_server.domain.errors import QuotaExceeded
from memory_server.domain.principals import Principal
from memory_server.domain.quotas import QuotaName, Quotas, Usage
from memory_server.repository.pool import Connection
from memory_server.repository.sql import statement

# The oldest tenth of a full history goes at once: to make room for each version by itself would be slow.
_MARGIN: Final = 10


async def usage(connection: Connection) -> Usage:
    """Return what the user of the transaction has by now."""
    return await _usage(connection, "usage")


class QuotaKeeper:
    """Holds one transaction to the quotas of its user. It is asked after the last change, so that its wait is short."""

    def __init__(self, connection: Connection, principal: Principal, quotas: Quotas) -> None:
        self._connection = connection
        self._principal = principal
        self._quotas = quotas

    async def hold(self, *, memories: int = 0, size: int = 0, sizes: Mapping[int, int] | None = None) -> None:
        """Refuse what the transaction has stored where it is too much, and forget history that is.

        It has added so many ``memories`` and ``size`` bytes; ``sizes`` are those of each new memory by its place in the
        request. What adds nothing is not refused. From then on the user's other writers wait for the transaction's end,
        so two of them cannot pass the same gap.

        Raises:
            QuotaExceeded: there are too many memories, or bytes, although expired memories have made room.
        """
        if not self._quotas:
            return
        now = await _usage(self._connection, "settled_usage")
        if (memories > 0 or size > 0) and self._exceeded(now) is not None:
            await self._connection.execute(statement("bury_all_expired"))
            now = await usage(self._connection)
            self._check(now, memories, size, sizes or {})
        await self._trim(now)

    async def foresee(self, name: str) -> None:
        """Refuse what ``hold`` would refuse, before anything is stored; other writers are not waited for.

        The statement ``name`` tells what the user would have once expired memories have made room, and how many
        memories and bytes of that would be added.

        Raises:
            QuotaExceeded: there would be too many memories, or bytes.
        """
        if not self._quotas:
            return
        row = await (await self._connection.execute(statement(name))).fetchone() or {}
        self._check(_usage_of(row), int(row["added_memories"]), int(row["added_bytes"]), {})

    async def trim(self) -> None:
        """Forget the oldest versions of a history that is too large."""
        if self._quotas.bytes:
            await self._trim(await usage(self._connection))

    async def _trim(self, now: Usage) -> None:
        most = self._quotas.bytes
        if most and now.history_bytes > most:
            excess = now.history_bytes - most + most // _MARGIN
            await self._connection.execute("SELECT forget_history(%s)", [excess])

    def _check(self, then: Usage, memories: int, size: int, sizes: Mapping[int, int]) -> None:
        name = self._exceeded(then)
        if name is not None and (memories > 0 or size > 0):
            added = memories if name == "memories" else size
            raise self._refusal(name, int(getattr(then, name)) - added, sizes)

    def _exceeded(self, now: Usage) -> QuotaName | None:
        if self._quotas.memories and now.memories > self._quotas.memories:
            return "memories"
        if self._quotas.bytes and now.bytes > self._quotas.bytes:
            return "bytes"
        return None

    def _refusal(self, name: QuotaName, before: int, sizes: Mapping[int, int]) -> QuotaExceeded:
        allowed, used = int(getattr(self._quotas, name)), before
        first: int | None = None
        for place, size in sizes.items():
            used += 1 if name == "memories" else size
            if used > allowed:
                first = place
                break
        # Who is confined to a project learns nothing of what lies outside it.
        told = before if self._principal.project is None else None
        return QuotaExceeded(name, allowed=allowed, used=told, place=first if len(sizes) > 1 else None)


async def _usage(connection: Connection, name: str) -> Usage:
    row = await (await connection.execute(statement(name))).fetchone()
    return _usage_of(row or {})


def _usage_of(row: DictRow) -> Usage:
    return Usage(**{key: int(row.get(key) or 0) for key in Usage.__slots__})
