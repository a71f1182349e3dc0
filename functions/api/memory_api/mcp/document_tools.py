"""``search`` and ``fetch``: the two tools that clients which read documents look for, in the form that they expect."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from memory_api.mcp.budget import tokens
from memory_api.mcp.memory_tools import part_of
from memory_api.mcp.schemas import Document, DocumentLink, DocumentLinks, FetchDocument, SearchDocuments
from memory_api.mcp.session import Session
from memory_api.mcp.tools import Answer, Hints, Tool, tool
from memory_server.domain.queries import SearchQuery
from plugin_kit.models import Memory

_TITLE: Final = 80
# What a document's address, title and offset take, as text and as JSON.
_FRAME: Final = 300


def document_tools() -> list[Tool]:
    """Return the pair."""
    return [
        tool(
            _search,
            name="search",
            title="Search documents",
            description="Find memories as documents: their ids, titles and addresses. fetch gives the text of one.",
            scope="memories:read",
            hints=Hints(read_only=True),
            arguments=SearchDocuments,
            answer=DocumentLinks,
        ),
        tool(
            _fetch,
            name="fetch",
            title="Fetch a document",
            description=(
                "Read one memory that search found, by its id, as a document. Where metadata has next_offset the text"
                " goes on: fetch again with that offset."
            ),
            scope="memories:read",
            hints=Hints(read_only=True),
            arguments=FetchDocument,
            answer=Document,
        ),
    ]


async def _search(session: Session, arguments: SearchDocuments) -> Answer:
    hits = await session.services.search.search(session.principal, SearchQuery(text=arguments.query))
    room = arguments.max_tokens // 2
    links: list[DocumentLink] = []
    for hit in hits:
        memory = hit.memory
        link = DocumentLink(id=memory.id, title=title_of(memory), url=session.url_of(memory.id))
        room -= tokens(link.model_dump_json())
        if room < 0:
            break
        links.append(link)
    return _answer(DocumentLinks(results=links))


async def _fetch(session: Session, arguments: FetchDocument) -> Answer:
    memory = await session.services.memories.get(session.principal, arguments.id)
    # The text is the document as JSON once more, which is what these clients read.
    view, next_offset = part_of(memory, arguments.offset, arguments.max_tokens - _FRAME)
    about = view.model_dump(mode="json", exclude={"id", "content", "cut"})
    if next_offset is not None:
        about["next_offset"] = next_offset
    return _answer(
        Document(
            id=memory.id,
            title=title_of(memory),
            text=view.content,
            url=session.url_of(memory.id),
            metadata=about,
        )
    )


def title_of(memory: Memory) -> str:
    """Return the first line of the memory, not more than 80 characters of it."""
    line = next((line.strip() for line in memory.content.splitlines() if line.strip()), memory.id)
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"


def _answer(value: BaseModel) -> Answer:
    return Answer(text=value.model_dump_json(), structured=value.model_dump(mode="json"))
