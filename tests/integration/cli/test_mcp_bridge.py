"""``memory-server mcp`` carries messages to a server and back, and answers for the server where it does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner

from memory_cli.main import main
from plugin_kit.json_types import JsonValue


class Echo(ThreadingHTTPServer):
    """Answers each request with ``answer``, or with the request's own method; ``headers`` are those of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: tuple[int, bytes] | None = None
        self.headers: list[dict[str, str]] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Echo)
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if message.get("method") == "slow":
            self.server.release.wait(10)
        if message.get("method") == "release":
            self.server.release.set()
        result = {"protocolVersion": "2025-06-18", "asked": message.get("method"), "path": self.path}
        echoed = json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": result}).encode()
        status, content = self.server.answer or (200, echoed)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of it."""


@pytest.fixture
def server() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def carry(url: str, *messages: JsonValue | bytes, key: str | None = None) -> list[dict[str, Any]]:
    """Return what the command writes for these lines."""
    lines = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
    environment = {"MEMORY_SERVER_URL": url, "MEMORY_SERVER_KEY": key}
    result = CliRunner().invoke(main, ["mcp"], input=b"\n".join(lines), env=environment)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def ask(method: str, number: JsonValue = 1, **params: JsonValue) -> dict[str, JsonValue]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def test_the_key_of_the_environment_is_the_credential(server: Echo) -> None:
    [answer] = carry(server.url, ask("tools/list"), key="swordfish")
    assert answer["result"]["path"] == "/mcp"
    assert server.headers[0]["authorization"] == "Bearer swordfish"
    carry(server.url, ask("tools/list"))
    assert "authorization" not in server.headers[1]


def test_the_revision_that_was_negotiated_is_named_in_all_that_follows(server: Echo) -> None:
    carry(server.url, ask("initialize"), ask("tools/list", 2))
    first, second = server.headers
    assert "mcp-protocol-version" not in first
    assert second["mcp-protocol-version"] == "2025-06-18"
    assert "mcp-method" not in second


def test_a_message_of_the_stateless_revision_is_described_in_headers(server: Echo) -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    carry(server.url, ask("tools/call", name="store_memory", _meta=meta))
    carry(server.url, ask("resources/read", uri="memory://é", _meta=meta))
    carry(server.url, ask("tools/list", _meta=meta))
    named = [
        [headers.get(name) for name in ("mcp-protocol-version", "mcp-method", "mcp-name")] for headers in server.headers
    ]
    assert named == [
        ["2026-07-28", "tools/call", "store_memory"],
        ["2026-07-28", "resources/read", "=?base64?bWVtb3J5Oi8vw6k=?="],
        ["2026-07-28", "tools/list", None],
    ]


def test_a_slow_call_holds_up_no_other_and_a_cancelled_one_is_not_answered(server: Echo) -> None:
    answers = carry(
        server.url,
        ask("slow", "a"),
        ask("slow", "b"),
        ask("quick", "c"),
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "a"}},
        ask("release", "d"),
    )
    assert {answer["id"] for answer in answers} == {"b", "c", "d"}


def test_messages_that_come_together_are_answered_one_by_one(server: Echo) -> None:
    answers = carry(server.url, [ask("a", 1), {"jsonrpc": "2.0", "method": "notifications/x"}, ask("b", 2)])
    assert {answer["result"]["asked"] for answer in answers} == {"a", "b"}


@pytest.mark.parametrize(("line", "code"), [(b"{", -32700), (b"7", -32600), (b"\xff", -32700)])
def test_a_line_that_is_no_message_is_an_error(server: Echo, line: bytes, code: int) -> None:
    [refused, answer] = carry(server.url, line, b"", ask("tools/list"))
    assert (refused["id"], refused["error"]["code"]) == (None, code)
    assert answer["id"] == 1


def test_a_server_that_is_not_there_is_told() -> None:
    [answer] = carry("http://127.0.0.1:9", ask("tools/list", 5))
    assert answer["id"] == 5
    assert answer["error"]["message"].startswith("the memory server at http://127.0.0.1:9 does not answer (")
    assert "start it, or set MEMORY_SERVER_URL to where it is" in answer["error"]["message"]


def test_a_problem_of_the_server_is_told(server: Echo) -> None:
    server.answer = (401, b'{"title": "Unauthorized", "detail": "sign in: send a key"}')
    [answer] = carry(server.url, ask("tools/list"), {"jsonrpc": "2.0", "method": "notifications/x"})
    assert answer["error"] == {"code": -32000, "message": "the server answered 401: sign in: send a key"}
