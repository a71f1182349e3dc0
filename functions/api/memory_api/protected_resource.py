"""The server as a protected resource: where a client learns how to sign in (RFC 9728, RFC 6750)."""

from __future__ import annotations

from typing import Final, cast

from fastapi import Request

from memory_server.bootstrap import Api
from memory_server.domain.principals import SCOPES
from plugin_kit.json_types import JsonValue

METADATA_PATH: Final = "/.well-known/oauth-protected-resource"
# What a client is told to ask for first; a route that needs more says so.
FIRST_SCOPES: Final = "memories:read memories:write"


def public_url(request: Request) -> str:
    """Return where clients find the server, without a slash at the end."""
    return cast(Api, request.app.state.services).public_url or str(request.base_url).rstrip("/")


def metadata(request: Request, path: str) -> dict[str, JsonValue]:
    """Return the metadata of the resource at ``path`` of this server."""
    issuer = cast(Api, request.app.state.services).issuer
    return {
        "resource": public_url(request) + path,
        **({"authorization_servers": [issuer]} if issuer else {}),
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "mcp-memory-server",
        "resource_documentation": public_url(request) + "/docs",
    }


def challenge(request: Request, *, error: str | None = None, scope: str = FIRST_SCOPES) -> str:
    """Return the WWW-Authenticate header of a request that was not let in."""
    suffix = "/mcp" if request.url.path == "/mcp" else ""
    parts = {"error": error, "scope": scope, "resource_metadata": public_url(request) + METADATA_PATH + suffix}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items() if value is not None)
