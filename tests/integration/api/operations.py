"""Every route of the server, as its document and as its application have it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from memory_server.domain.principals import SCOPES

METADATA: Final = "/.well-known/oauth-protected-resource"
OPEN: Final = {"GET /health", "GET /health/ready", f"GET {METADATA}", f"GET {METADATA}/mcp"}
OPEN_TO_ALL_WHO_SIGN_IN: Final = {"GET /me"}  # who may not know who they are?
NOT_IN_THE_DOCUMENT: Final = {
    "/docs": "open to strangers",
    "/mcp": "its tools ask for their scopes one by one: test_mcp_sign_in",
    "/openapi.json": "open to strangers",
    "/plugins/{plugin_id:plugin_id}/{path:endpoint_path}": "the document lists the endpoints one by one",
}
METHODS: Final = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one path, with the scope that the document says it asks for."""

    method: str
    path: str
    scope: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def send(self, client: httpx.Client, credential: str | None, **values: str) -> httpx.Response:
        """Send a request with every placeholder filled, and a body that is JSON."""
        path = re.sub(
            r"\{(\w+)\}", lambda match: values.get(match[1], "019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"), self.path
        )
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        body: dict[str, str] | None = None if self.method in ("GET", "DELETE") else {}
        request = client.build_request(self.method, path, headers=headers, json=body)
        request.headers.pop("X-Test-User", None)  # nobody signs in for this request
        return client.send(request)


def operations_of(document: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI document."""
    return [
        Operation(method.upper(), path, _scope(operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def _scope(operation: Mapping[str, Any]) -> str | None:
    match operation.get("security"):
        case [{"bearer": [scope]}]:
            return scope
        case _:
            return None


def undeclared(app: FastAPI) -> set[str]:
    """Return the routes of ``app`` that are neither open on purpose nor ask for a scope."""
    scopes = {str(operation): operation.scope for operation in operations_of(app.openapi())}
    found = set[str]()
    for route in iter_route_contexts(app.routes):
        path = str(route.path)
        for method in (route.methods or set[str]()) - {"HEAD", "OPTIONS"}:
            name = f"{method} {re.sub(r':[a-z_]+', '', path)}"
            if path in NOT_IN_THE_DOCUMENT or name in OPEN | OPEN_TO_ALL_WHO_SIGN_IN:
                continue
            if scopes.get(name) not in SCOPES:
                found.add(name)
    return found
