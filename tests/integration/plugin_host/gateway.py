"""Lambda's API in front of the gateway's alias: it remembers what a plugin's host asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plugin_kit.json_types import JsonObject, dumps


class GatewayApi:
    """Answers every call; ``refusals`` are statuses that it answers first."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.requests: list[JsonObject] = []
        self.refusals: list[int] = []


@contextmanager
def gateway_api() -> Generator[GatewayApi]:
    """Serve the API for as long as this lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if api.refusals:
                self.send_response(api.refusals.pop())
                answer = b"{}"
            else:
                api.requests.append(json.loads(body))
                self.send_response(200)
                answer = dumps({"ok": None}).encode()
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the argument's name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = GatewayApi(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield api
        finally:
            server.shutdown()
