"""The outbox in PostgreSQL: written in the transaction of the change, emptied by the relay."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from memory_server.services.delivery_ports import Replay
from plugin_kit.envelope import VERSION, Event, decode, encode
from plugin_kit.errors import EnvelopeError
from plugin_kit.hooks import CATALOGUE
from plugin_kit.json_types import dumps

# An event of a hook or version that came with a newer server waits, after a rollback, until that one is back.
_CLAIM: Final = """
    SELECT id, event FROM outbox
    WHERE published_at IS NULL AND created_at < %(older_than)s
        AND hook = ANY (%(hooks)s) AND event ->> 'version' = %(version)s
    ORDER BY created_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_COUNT_UNREADABLE: Final = """
    SELECT count(*) AS number FROM outbox
    WHERE published_at IS NULL AND NOT (hook = ANY (%(hooks)s) AND event ->> 'version' = %(version)s)
"""
_READ: Final = """
    SELECT id, event FROM outbox
    WHERE published_at IS NOT NULL AND hook = ANY (%(hooks)s) AND event ->> 'version' = %(version)s
        AND (%(since)s::uuid IS NULL OR id >= %(since)s) AND (%(until)s::uuid IS NULL OR id < %(until)s)
        AND (%(after)s::uuid IS NULL OR id > %(after)s)
    ORDER BY id LIMIT %(limit)s
"""
_KNOWN: Final[Mapping[str, object]] = {"hooks": list(CATALOGUE), "version": str(VERSION)}

logger = logging.getLogger(__name__)


class Transactions(Protocol):
    """Transactions of the role that may see the outbox of all users."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection[DictRow]]: ...


class PostgresOutbox:
    """Implements ports.Outbox in the caller's transaction."""

    def __init__(self, connection: AsyncConnection[DictRow]) -> None:
        self._connection = connection

    async def append(self, events: Sequence[Event]) -> None:
        if not events:
            return
        # Who gets the event, and may act in it, is decided when it is published.
        bare = [replace(event, plugins=(), grant=None) for event in events]
        await self._connection.execute(
            "INSERT INTO outbox (id, user_id, hook, event)"
            " SELECT id, user_id, hook, event::jsonb"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS row (id, user_id, hook, event)",
            [
                [event.id for event in bare],
                [event.user_id for event in bare],
                [event.hook for event in bare],
                [dumps(encode(event)) for event in bare],
            ],
        )

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        await _mark_published(self._connection, event_ids)


class PostgresBacklog:
    """Implements ports.OutboxBacklog. ``transactions`` are those of the role memory_relay."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @asynccontextmanager
    async def claim(self, *, older_than: datetime, limit: int) -> AsyncGenerator[list[Event]]:
        """Lock unpublished events, oldest first; leaving the context marks them published, an exception frees them."""
        async with self._transactions.transaction() as connection:
            cursor = await connection.execute(_CLAIM, {**_KNOWN, "older_than": older_than, "limit": limit})
            rows = await cursor.fetchall()
            events, broken = _readable(rows)
            yield events
            await _mark_published(connection, [*(event.id for event in events), *broken])

    async def count_unreadable(self) -> int:
        """Return how many unpublished events have hooks or a version that this server does not know."""
        async with self._transactions.transaction() as connection:
            cursor = await connection.execute(_COUNT_UNREADABLE, _KNOWN)
            row = await cursor.fetchone()
        return 0 if row is None else row["number"]

    async def prune(self, *, happened_before: datetime) -> int:
        """Forget published events that happened before; return how many."""
        async with self._transactions.transaction() as connection:
            # Not by when they were published: one that is published again and again must end some day.
            cursor = await connection.execute(
                "DELETE FROM outbox WHERE id < %s AND published_at IS NOT NULL", [_first_id(happened_before)]
            )
            return cursor.rowcount


class PostgresArchive:
    """Implements delivery_ports.EventArchive on the published rows of the outbox."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def read(self, replay: Replay, hooks: Sequence[str], *, limit: int) -> list[Event]:
        values = {
            "hooks": list(hooks),
            "version": str(VERSION),
            "since": None if replay.since is None else _first_id(replay.since),
            "until": None if replay.until is None else _first_id(replay.until),
            "after": replay.after,
            "limit": limit,
        }
        async with self._transactions.transaction() as connection:
            while rows := await (await connection.execute(_READ, values)).fetchall():
                events, _ = _readable(rows)
                if events:
                    return events
                values["after"] = rows[-1]["id"]
        return []


def _first_id(time: datetime) -> UUID:
    """Return the least UUIDv7 of the millisecond of ``time``: ids of events sort by the time they happened."""
    return UUID(int=int(time.timestamp() * 1000) << 80)


def _readable(rows: Sequence[DictRow]) -> tuple[list[Event], list[str]]:
    """Return the events of rows of the outbox, and the ids of those that are no events: the log tells of each."""
    events: list[Event] = []
    broken: list[str] = []
    for row in rows:
        try:
            events.append(decode(row["event"]))
        except EnvelopeError as error:
            logger.error("event %s of the outbox is passed over: %s", row["id"], error)  # noqa: TRY400  # its trace tells nothing
            broken.append(str(row["id"]))
    return events, broken


async def _mark_published(connection: AsyncConnection[DictRow], event_ids: Sequence[str]) -> None:
    await connection.execute(
        "UPDATE outbox SET published_at = now() WHERE id = ANY (%s::uuid[]) AND published_at IS NULL", [list(event_ids)]
    )
