"""The event bus on Amazon EventBridge; what is too large for it goes through S3."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.adapters.large_events import LargeEvents
from memory_server.domain.errors import Unavailable
from plugin_kit.envelope import SOURCE, Event
from plugin_kit.json_types import JsonObject, dumps

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_MAX_CALL_ENTRIES: Final = 10
# EventBridge's limit is 1 MB for source, detail type and detail of all entries; the rest is room to spare.
_MAX_CALL_BYTES: Final = 1_000_000
_ENTRY_OVERHEAD_BYTES: Final = 128
_CALLS_AT_ONCE: Final = 4

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    event: Event
    detail: str
    size: int


class EventBridgeBus:
    """An EventBus. Events of one call are put in parallel: their order on the bus is not theirs."""

    def __init__(self, client: EventBridgeClient, bus_name: str, large_events: LargeEvents) -> None:
        self._client = client
        self._bus_name = bus_name
        self._large_events = large_events

    async def publish(self, events: Sequence[Event]) -> list[Event]:
        slots = asyncio.Semaphore(_CALLS_AT_ONCE)

        async def put(chunk: Sequence[_Entry]) -> list[Event]:
            async with slots:
                return await self._put(chunk)

        async def prepare(event: Event) -> _Entry | None:
            async with slots:
                return await self._entry(event)

        entries = await asyncio.gather(*map(prepare, events))
        failed = [event for event, entry in zip(events, entries, strict=True) if entry is None]
        chunks = _chunks([entry for entry in entries if entry is not None])
        for refused in await asyncio.gather(*map(put, chunks)):
            failed += refused
        return failed

    async def announce(self, detail_type: str, detail: JsonObject) -> None:
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": self._bus_name,
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": dumps(detail),
        }
        answer = await call("event bus", self._client.put_events, Entries=[entry])
        if answer["FailedEntryCount"]:
            raise Unavailable("event bus")

    async def ping(self) -> None:
        await call("event bus", self._client.describe_event_bus, Name=self._bus_name)

    async def _entry(self, event: Event) -> _Entry | None:
        """Return the entry of ``event``, or None where its arguments could not be stored."""
        try:
            detail = await self._large_events.write(event)
        except Unavailable:
            return None
        return _Entry(event, detail, len(detail.encode()) + _ENTRY_OVERHEAD_BYTES)

    async def _put(self, chunk: Sequence[_Entry]) -> list[Event]:
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": self._bus_name,
                "Source": SOURCE,
                "DetailType": entry.event.hook,
                "Detail": entry.detail,
                "Time": entry.event.time,
            }
            for entry in chunk
        ]
        try:
            answer = await call("event bus", self._client.put_events, Entries=entries)
        except Unavailable:
            return [entry.event for entry in chunk]
        if not answer["FailedEntryCount"]:
            return []
        refused = [
            (entry.event, result.get("ErrorCode"))
            for entry, result in zip(chunk, answer["Entries"], strict=True)
            if "ErrorCode" in result
        ]
        logger.warning("the event bus refused %d events: %s", len(refused), sorted({str(code) for _, code in refused}))
        return [event for event, _ in refused]


def _chunks(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    """Yield the entries in calls that EventBridge takes."""
    chunk: list[_Entry] = []
    size = 0
    for entry in entries:
        if chunk and (len(chunk) == _MAX_CALL_ENTRIES or size + entry.size > _MAX_CALL_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += entry.size
    if chunk:
        yield chunk
