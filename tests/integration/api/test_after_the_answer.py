"""Events are published after the answer: nobody waits for them, and nobody who leaves takes them along."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import cast

import pytest
import uvicorn
from fastapi import FastAPI

from memory_api.middleware import PublishEvents
from memory_server.services.events import Events

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


class SlowEvents:
    """Publishing that takes until ``finish``."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.finish = asyncio.Event()
        self.finished = 0

    async def flush(self) -> None:
        self.started.set()
        await self.finish.wait()
        self.finished += 1


@contextlib.asynccontextmanager
async def serving(events: SlowEvents) -> AsyncGenerator[int]:
    app = FastAPI()
    app.add_api_route("/", lambda: {"status": "ok"})
    app.add_middleware(PublishEvents, events=cast(Events, events))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event to wait for
        await asyncio.sleep(0.001)
    yield server.servers[0].sockets[0].getsockname()[1]
    events.finish.set()
    server.should_exit = True
    await task


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        return head.split(b"\r\n")[0] + await reader.readexactly(len(b'{"status":"ok"}'))


async def test_a_connection_gets_its_next_answer_while_events_are_published() -> None:
    events = SlowEvents()
    async with serving(events) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(REQUEST)
            assert await answer(reader) == b'HTTP/1.1 200 OK{"status":"ok"}'
        assert events.finished == 0
        writer.close()


async def test_events_are_published_although_the_client_has_left() -> None:
    events = SlowEvents()
    async with serving(events) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        await answer(reader)
        await events.started.wait()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)
    assert events.finished == 1


async def test_events_are_published_although_the_request_failed() -> None:
    events = SlowEvents()
    events.finish.set()

    async def failing(scope: object, receive: object, send: object) -> None:  # noqa: ARG001  # an ASGI app's arguments
        raise LookupError

    with pytest.raises(LookupError):
        await PublishEvents(failing, cast(Events, events))({"type": "http"}, _never, _ignore)
    assert events.finished == 1


async def _never() -> dict[str, object]:
    raise AssertionError


async def _ignore(message: object) -> None:
    pass
