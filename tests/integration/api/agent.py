"""An agent of the tests: MCP as it is on the wire, in one revision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import httpx

STATELESS: Final = "2026-07-28"
HANDSHAKE: Final = ("2025-03-26", "2025-06-18", "2025-11-25")
ERAS: Final = (STATELESS, HANDSHAKE[-1])
CLIENT: Final = {"name": "tests", "version": "1"}
_NAMED_BY: Final = {"tools/call": "name", "resources/read": "uri"}


class RpcError(Exception):
    """The server answered with an error of JSON-RPC."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.status = status
        self.code: int = error["code"]
        self.message: str = error["message"]


@dataclass(frozen=True)
class Agent:
    """Speaks ``revision`` to the server behind ``api``."""

    api: httpx.Client
    revision: str

    def post(self, method: str, params: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Return the answer to a request, as it is."""
        values = dict(params or {})
        given = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": self.revision}
        if self.revision == STATELESS:
            values["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": self.revision,
                "io.modelcontextprotocol/clientInfo": CLIENT,
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            given["Mcp-Method"] = method
            if method in _NAMED_BY:
                given["Mcp-Name"] = values[_NAMED_BY[method]]
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": values}
        return self.api.post("/mcp", json=body, headers={**given, **headers})

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of a request.

        Raises:
            RpcError: it has none.
        """
        response = self.post(method, params)
        answer = response.json()
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
        if "error" in answer:
            raise RpcError(response.status_code, answer["error"])
        assert response.status_code == 200
        return answer["result"]

    def tools(self) -> dict[str, dict[str, Any]]:
        """Return the tools by name."""
        return {tool["name"]: tool for tool in self.ask("tools/list")["tools"]}

    def result(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Return what a call of ``tool`` results in, an error too."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Return the JSON that ``tool`` answers."""
        result = self.result(tool, **arguments)
        assert result["isError"] is False, result
        return result["structuredContent"]

    def refused(self, tool: str, **arguments: object) -> str:
        """Return what ``tool`` says of arguments that it does not take."""
        result = self.result(tool, **arguments)
        assert result["isError"] is True, result
        assert result.get("structuredContent") is None
        [content] = result["content"]
        return content["text"]
