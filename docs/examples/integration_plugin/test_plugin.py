"""The integration plugin calls a service, here one on this machine, and lets the server retry what may pass."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from plugin_kit.context import Context
from plugin_kit.loader import load
from plugin_kit.models import Memory
from plugin_kit.testing import fire, make_context

FOLDER = Path(__file__).parent
plugin = load(FOLDER.name, FOLDER)
MEMORY = Memory(id="test123", content="Test content", project="team", tags=("people",))


class Service(HTTPServer):
    """Answers each POST with ``status``, and keeps what it got."""

    status = 204

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], object]] = []


class Handler(BaseHTTPRequestHandler):
    """Hands what it gets to its Service."""

    def do_POST(self) -> None:
        assert isinstance(self.server, Service)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of it."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def context_for(url: str | None) -> Context:
    config = {} if url is None else {"url": url}
    return make_context(
        plugin_name=FOLDER.name, server_config={"config": config, "secrets": {"api_token": "not-a-real-token"}}
    )


@pytest.fixture
def context(service: Service) -> Context:
    return context_for(f"http://127.0.0.1:{service.server_port}/memories")


@pytest.mark.asyncio
async def test_the_service_is_told_of_a_new_memory_but_not_of_its_content(service: Service, context: Context) -> None:
    await fire(plugin, "memory_created", MEMORY, context=context)
    ((headers, body),) = service.got
    assert body == {"memory_id": "test123", "project": "team", "tags": ["people"]}
    assert headers["Authorization"] == "Bearer not-a-real-token"
    assert headers["Idempotency-Key"] == context["metadata"]["event_id"]


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [500, 503, 429])
async def test_what_may_pass_raises_so_that_the_event_comes_again(
    service: Service, context: Context, status: int
) -> None:
    service.status = status
    with pytest.raises(httpx.HTTPStatusError):
        await fire(plugin, "memory_created", MEMORY, context=context)


@pytest.mark.asyncio
async def test_a_service_that_is_not_there_raises_too(service: Service, context: Context) -> None:
    service.server_close()
    with pytest.raises(httpx.ConnectError):
        await fire(plugin, "memory_created", MEMORY, context=context)


@pytest.mark.asyncio
async def test_what_would_be_refused_again_is_logged_without_the_secret(
    service: Service, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    service.status = 403
    await fire(plugin, "memory_created", MEMORY, context=context)
    assert "the service refused memory test123 with 403" in caplog.text
    assert "not-a-real-token" not in caplog.text


@pytest.mark.asyncio
async def test_it_refuses_to_start_without_a_url() -> None:
    with pytest.raises(ValueError, match="set the url in its config"):
        await plugin.initialize(context_for(None))
