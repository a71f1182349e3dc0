"""How to sign in, for programs (RFC 9728)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from memory_api.problems import problems
from memory_api.protected_resource import METADATA_PATH, metadata

router = APIRouter(tags=["sign-in"])


class ProtectedResource(BaseModel):
    """What a client needs to know to get an access token for this server."""

    resource: str
    authorization_servers: list[str] | None = None
    scopes_supported: list[str]
    bearer_methods_supported: list[str]
    resource_name: str
    resource_documentation: str


@router.get(METADATA_PATH, responses=problems(401), response_model_exclude_none=True)
async def get_protected_resource(request: Request) -> ProtectedResource:
    """Tell where access tokens for this server come from, and which scopes there are."""
    return ProtectedResource.model_validate(metadata(request, ""))


@router.get(f"{METADATA_PATH}/mcp", responses=problems(401), response_model_exclude_none=True)
async def get_protected_mcp(request: Request) -> ProtectedResource:
    """Tell the same of /mcp."""
    return ProtectedResource.model_validate(metadata(request, "/mcp"))
