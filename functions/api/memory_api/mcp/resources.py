"""Memories as resources: ``memory://<id>``."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from memory_api.mcp.session import Session
from memory_server.domain.errors import MemoryNotFound
from memory_server.domain.queries import MemoryFilter, Page, Position
from plugin_kit.models import Memory

SCHEME: Final = "memory://"
URI_TEMPLATE: Final = f"{SCHEME}{{id}}"
SCOPE: Final = "memories:read"
PAGE: Final = 50


def uri_of(memory: Memory) -> str:
    """Return the address of ``memory``."""
    return f"{SCHEME}{memory.id}"


async def recent(session: Session, after: Position | None) -> Page:
    """Return the caller's memories from new to old, a page of them."""
    session.require(SCOPE)
    return await session.services.memories.list(session.principal, MemoryFilter(), after=after, limit=PAGE)


async def read(session: Session, uri: str) -> Memory:
    """Return the memory at ``uri``.

    Raises:
        MemoryNotFound: the caller has none there.
    """
    session.require(SCOPE)
    scheme, separator, text = uri.partition("//")
    try:
        memory_id = str(UUID(text)) if scheme + separator == SCHEME else ""
    except ValueError:
        memory_id = ""
    if not memory_id:
        raise MemoryNotFound(uri)
    return await session.services.memories.get(session.principal, memory_id)
