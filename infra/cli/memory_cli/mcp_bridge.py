"""MCP over standard input and output, for clients that start a process: each message goes to the server's POST /mcp.

The server does all that MCP is. What is done here is the transport: a line is a message, and the headers that HTTP
wants are read off it.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Final, TypeAlias, cast

import httpx

from memory_cli.server import TIMEOUT, told
from plugin_kit.json_types import JsonValue

# So many calls of one client are on their way at once.
_WORKERS: Final = 8
_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
# The server's own range in JSON-RPC: what went wrong lies between here and its answer.
_NO_ANSWER: Final = -32000
_VERSION_OF_MESSAGE: Final = "io.modelcontextprotocol/protocolVersion"
_NAMED_BY: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_PLAIN: Final = re.compile(r"[!-~]([ -~]*[!-~])?")

_Message: TypeAlias = Mapping[str, JsonValue]


class Bridge:
    """Carries the messages of one client to the server at ``url``, and the answers to ``output``, a line each."""

    def __init__(self, url: str, key: str | None, output: IO[bytes]) -> None:
        self._url = url.rstrip("/")
        self._output = output
        self._writing = threading.Lock()
        self._negotiated: str | None = None
        # The ids of requests as JSON: 1 and "1" are two.
        self._cancelled: set[str] = set()
        headers = {"Accept": "application/json, text/event-stream"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT)

    def run(self, lines: Iterable[bytes]) -> None:
        """Carry messages until ``lines`` end and the last of them is answered."""
        with self._client, ThreadPoolExecutor(_WORKERS) as workers:
            for line in lines:
                if not line.strip():
                    continue
                try:
                    parsed: object = json.loads(line)
                except ValueError as error:
                    self._write(_error(None, _PARSE_ERROR, f"this line is not JSON: {error}"))
                    continue
                # Revision 2025-03-26 lets a client send several at once.
                for message in cast("list[object]", parsed if isinstance(parsed, list) else [parsed]):
                    if isinstance(message, dict):
                        self._take(cast(_Message, message), workers)
                    else:
                        self._write(_error(None, _INVALID_REQUEST, "a message is a JSON object"))

    def _take(self, message: _Message, workers: ThreadPoolExecutor) -> None:
        if message.get("method") == "notifications/cancelled":
            self._cancelled.add(json.dumps(_params(message).get("requestId")))
        if message.get("method") == "initialize":
            # What it negotiates is in the headers of all that follow.
            self._carry(message)
        else:
            workers.submit(self._carry, message)

    def _carry(self, message: _Message) -> None:
        answer = self._ask(message)
        number = json.dumps(message.get("id"))
        if "id" in message and answer is not None and number not in self._cancelled:
            self._write(answer)
        self._cancelled.discard(number)

    def _ask(self, message: _Message) -> _Message | None:
        """Return the server's answer, None where there is none to give."""
        number = message.get("id")
        # Escaped as it may have come: half of a surrogate pair is for the server to refuse.
        content = json.dumps(message).encode()
        headers = {"Content-Type": "application/json", **_headers(message, self._negotiated)}
        try:
            response = self._client.post(f"{self._url}/mcp", content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _error(
                number,
                _NO_ANSWER,
                f"the memory server at {self._url} does not answer ({error or type(error).__name__}): start it, or set"
                " MEMORY_SERVER_URL to where it is",
            )
        answer = _object(response)
        if answer is not None and "jsonrpc" in answer:
            if message.get("method") == "initialize" and "result" in answer:
                self._negotiated = str(cast(_Message, answer["result"]).get("protocolVersion"))
            return answer
        if response.is_success:
            return None
        return _error(number, _NO_ANSWER, told(response, answer))

    def _write(self, message: _Message) -> None:
        with self._writing:
            self._output.write(json.dumps(message).encode() + b"\n")
            self._output.flush()


def _headers(message: _Message, negotiated: str | None) -> dict[str, str]:
    """Return what HTTP says of a message beside its body: its revision, and since 2026-07-28 what it is about."""
    params = _params(message)
    meta = params.get("_meta")
    stated = meta.get(_VERSION_OF_MESSAGE) if isinstance(meta, Mapping) else None
    if stated is None:
        return {} if negotiated is None else {"MCP-Protocol-Version": negotiated}
    method = str(message.get("method"))
    headers = {"MCP-Protocol-Version": _header(str(stated)), "Mcp-Method": _header(method)}
    name = params.get(_NAMED_BY.get(method, ""))
    if name is not None:
        headers["Mcp-Name"] = _header(str(name))
    return headers


def _header(value: str) -> str:
    """Return ``value`` as a header can have it: in base64, marked as such, where it is not plain text."""
    if _PLAIN.fullmatch(value) and not value.startswith("=?base64?"):
        return value
    return f"=?base64?{base64.b64encode(value.encode(errors='replace')).decode()}?="


def _params(message: _Message) -> Mapping[str, JsonValue]:
    params = message.get("params")
    return params if isinstance(params, Mapping) else {}


def _object(response: httpx.Response) -> Mapping[str, JsonValue] | None:
    try:
        answer: object = response.json()
    except ValueError:
        return None
    return cast("Mapping[str, JsonValue]", answer) if isinstance(answer, dict) else None


def _error(number: JsonValue, code: int, message: str) -> _Message:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}
