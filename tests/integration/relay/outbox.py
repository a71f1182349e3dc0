"""A relay, and an outbox for it to find things in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg

from memory_server.adapters.eventbridge_bus import EventBridgeBus
from memory_server.adapters.large_events import LargeEvents
from memory_server.adapters.sqs_dead_letters import SqsDeadLetters
from memory_server.adapters.system_clock import SystemClock
from memory_server.domain.events import memory_event
from memory_server.domain.principals import Principal
from memory_server.outbox.postgres import PostgresArchive, PostgresBacklog
from memory_server.repository.database import PostgresDatabase
from memory_server.repository.pool import RolePool
from memory_server.services.plugin_replay import Replayer
from memory_server.services.publisher import Publisher
from memory_server.services.relay import Relay
from memory_server.services.sequencing import Sequencer
from plugin_kit.envelope import Event
from plugin_kit.models import Memory
from tests.fixtures.aws import BUCKET, BUS, AwsStack
from tests.fixtures.postgres import TestDatabase

NOW = timedelta(0)


def make_relay(aws: AwsStack, pool: RolePool, bucket: str = BUCKET) -> Relay:
    """Return the relay as bootstrap builds it, with another ``bucket`` for large events."""
    bus = EventBridgeBus(aws.clients.events, BUS, LargeEvents(aws.clients.s3, bucket, aws.erasures()))
    publisher = Publisher(aws.registry(), bus, aws.sequences(), b"key", SystemClock())
    sequencer = Sequencer(aws.sequences(), publisher, SystemClock())
    dead_letters = SqsDeadLetters(aws.clients.sqs)
    replayer = Replayer(aws.registry(), aws.replays(), PostgresArchive(pool), dead_letters, publisher)
    return Relay(PostgresBacklog(pool), publisher, sequencer, replayer, SystemClock(), retention=timedelta(days=7))


async def leave(
    database: PostgresDatabase,
    *user_ids: str,
    hook: str = "memory_created",
    metadata_bytes: int = 0,
    ago: timedelta = timedelta(0),
) -> list[Event]:
    """Leave an event of so long ago in the outbox for each of the users, as a crash before its publishing does."""
    events: list[Event] = []
    for user_id in user_ids:
        memory = Memory(id="m", content="text", user_id=user_id, metadata={"blob": "x" * metadata_bytes})
        event = memory_event(hook, memory)
        events.append(replace(event, id=_earlier(event.id, ago), time=event.time - ago))
        async with database.transaction(Principal(user_id)) as unit:
            await unit.outbox.append(events[-1:])
    return events


def age(database: TestDatabase, event_ids: Sequence[str], *, seconds: int) -> None:
    """Make it ``seconds`` ago that the events were written and, where they were, published."""
    with psycopg.connect(database.admin_dsn, autocommit=True) as connection:
        connection.execute(
            "UPDATE outbox SET created_at = created_at - %(age)s, published_at = published_at - %(age)s"
            " WHERE id = ANY (%(ids)s)",
            {"age": timedelta(seconds=seconds), "ids": list(event_ids)},
        )


def _earlier(event_id: str, ago: timedelta) -> str:
    """Return the UUIDv7 that the event would have had so long ago."""
    return str(UUID(int=UUID(event_id).int - (ago // timedelta(milliseconds=1) << 80)))
