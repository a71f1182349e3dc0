"""MCP, over streamable HTTP: every message is a POST, and every answer is whole."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

from memory_api.auth import Caller
from memory_api.dependencies import Services
from memory_api.mcp.session import Session
from memory_api.routes.plugin_endpoints import MAX_BODY_BYTES

# A tool of a plugin may be given as much as its endpoint.
MAX_MESSAGE_BYTES: Final = MAX_BODY_BYTES

router = APIRouter(tags=["mcp"])


# Not in the OpenAPI document: MCP says of itself what it offers, by tools/list, and a client of REST has no use for it.
@router.post("/mcp", include_in_schema=False)
async def exchange_messages(request: Request, services: Services, caller: Caller) -> Response:
    """Answer one message of an agent."""
    # Imported at the first message: the SDK takes as long to import as all the rest of the API.
    from memory_api.mcp.exchange import exchange

    body = await request.body()
    if len(body) > MAX_MESSAGE_BYTES:
        raise HTTPException(413, f"send at most {MAX_MESSAGE_BYTES:,} bytes in one message")
    return await exchange(request, body, Session(services, caller, str(request.base_url)))
