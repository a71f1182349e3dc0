"""The tools over memories. They call what the routes call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import BaseModel

from memory_api import cursor
from memory_api.mcp.schemas import (
    Deleted,
    DeleteMemory,
    FoundMemories,
    FoundMemory,
    GetMemory,
    ListedMemories,
    ListMemories,
    OneMemory,
    SearchMemories,
    Stored,
    Updated,
    UpdateMemory,
)
from memory_api.mcp.session import Session
from memory_api.mcp.tools import Answer, Hints, Tool, tool
from memory_api.mcp.views import MemoryView, cut_to, fitting
from memory_api.schemas.memories import MemoryCreate
from memory_server.domain.queries import Position
from plugin_kit.models import Memory

# What an answer takes beside its memories: its frame, its cursor and its note, as text and as JSON.
_FRAME: Final = 200
# The score of a result, and what holds the two together.
_RESULT: Final = 16


def memory_tools() -> list[Tool]:
    """Return the six tools over memories."""
    return [
        tool(
            _store,
            name="store_memory",
            title="Store a memory",
            description=(
                "Store something worth remembering beyond this conversation: a fact, a decision, a preference, an"
                " error and its fix. Write content that can be understood on its own, one matter a memory. The same"
                " content in the same project is stored once: then created is false and id is that of the memory that"
                " is there."
            ),
            scope="memories:write",
            hints=Hints(),
            arguments=MemoryCreate,
            answer=Stored,
        ),
        tool(
            _search,
            name="search_memories",
            title="Search memories",
            description=(
                "Find memories by meaning and by words, best first. Ask in plain words for what you want to know, and"
                " narrow it by project, memory_type, tags or time. Search before you store what may be known already."
            ),
            scope="memories:read",
            hints=Hints(read_only=True),
            arguments=SearchMemories,
            answer=FoundMemories,
        ),
        tool(
            _get,
            name="get_memory",
            title="Get a memory",
            description="Read one memory by its id; of a long one go on with offset.",
            scope="memories:read",
            hints=Hints(read_only=True),
            arguments=GetMemory,
            answer=OneMemory,
        ),
        tool(
            _update,
            name="update_memory",
            title="Change a memory",
            description=(
                "Change fields of a memory that is not right any more. A field that is left out stays; tags and"
                " metadata are replaced as a whole; null clears project, session_id and expires_at."
            ),
            scope="memories:write",
            hints=Hints(destructive=True, idempotent=True),
            arguments=UpdateMemory,
            answer=Updated,
        ),
        tool(
            _delete,
            name="delete_memory",
            title="Delete a memory",
            description="Delete one memory by its id. It is found no more; ask the user first.",
            scope="memories:write",
            hints=Hints(destructive=True, idempotent=True),
            arguments=DeleteMemory,
            answer=Deleted,
        ),
        tool(
            _list,
            name="list_memories",
            title="List memories",
            description=(
                "List memories from new to old, a page at a time: what was stored lately, or all of a project. To find"
                " something, search_memories is better."
            ),
            scope="memories:read",
            hints=Hints(read_only=True),
            arguments=ListMemories,
            answer=ListedMemories,
        ),
    ]


async def _store(session: Session, arguments: MemoryCreate) -> Answer:
    result = await session.services.memories.create(session.principal, arguments.draft())
    memory = result.memory
    text = (
        f"Stored as memory {memory.id}."
        if result.created
        else f"Not stored again: memory {memory.id} of this project has the same content."
    )
    return _answer(text, Stored(id=memory.id, version=memory.version, created=result.created))


async def _search(session: Session, arguments: SearchMemories) -> Answer:
    hits = await session.services.search.search(session.principal, arguments.search_query())
    views = fitting([hit.memory for hit in hits], arguments.max_tokens - _FRAME, extra=_RESULT)
    results = [FoundMemory(score=round(hit.score, 3), memory=view) for hit, view in zip(hits, views, strict=False)]
    omitted = len(hits) - len(results)
    more = f"{omitted} more did not fit: raise max_tokens, or narrow the search. " if omitted else ""
    note = _note(views, more)
    texts = [f"{result.memory.text()}\n(score {result.score:g})" for result in results]
    heading = f"{len(hits)} found, best first." if hits else "Nothing found: try other words, or fewer conditions."
    return _answer(_joined(heading, texts, note), FoundMemories(results=results, omitted=omitted, note=note))


async def _get(session: Session, arguments: GetMemory) -> Answer:
    memory = await session.services.memories.get(session.principal, arguments.memory_id)
    view, next_offset = part_of(memory, arguments.offset, arguments.max_tokens - _FRAME)
    more = "" if next_offset is None else f"The content goes on: call get_memory with offset {next_offset}. "
    hidden = [field for field in view.cut if field != "content"]
    rest = f"Left out: {', '.join(hidden)}; raise max_tokens to see them." if hidden else ""
    note = (more + rest).strip() or None
    return _answer(_joined("", [view.text()], note), OneMemory(memory=view, next_offset=next_offset, note=note))


async def _update(session: Session, arguments: UpdateMemory) -> Answer:
    memory = await session.services.memories.update(
        session.principal, arguments.memory_id, arguments.patch(), expected_version=arguments.expected_version
    )
    return _answer(f"Memory {memory.id} is at version {memory.version}.", Updated(id=memory.id, version=memory.version))


async def _delete(session: Session, arguments: DeleteMemory) -> Answer:
    await session.services.memories.delete(
        session.principal, arguments.memory_id, expected_version=arguments.expected_version
    )
    return _answer(f"Memory {arguments.memory_id} is deleted.", Deleted(id=arguments.memory_id))


async def _list(session: Session, arguments: ListMemories) -> Answer:
    page = await session.services.memories.list(
        session.principal, arguments.filter(), after=arguments.cursor, limit=arguments.limit
    )
    views = fitting(page.memories, arguments.max_tokens - _FRAME)
    following = page.next if len(views) == len(page.memories) else _position(page.memories[len(views) - 1])
    next_cursor = None if following is None else cursor.encode(following)
    more = "" if next_cursor is None else f"There are more: call list_memories with cursor {next_cursor}. "
    note = _note(views, more)
    heading = "" if views else "No memories fit these conditions."
    texts = [view.text() for view in views]
    return _answer(_joined(heading, texts, note), ListedMemories(memories=views, next_cursor=next_cursor, note=note))


def part_of(memory: Memory, offset: int, room: int) -> tuple[MemoryView, int | None]:
    """Return what ``room`` tokens hold of ``memory`` from the character ``offset`` on, and where the rest begins."""
    rest = MemoryView.of(memory).model_copy(update={"content": memory.content[offset:]})
    view = cut_to(rest, room)
    end = offset + len(view.content)
    return view, end if end < len(memory.content) else None


def _position(memory: Memory) -> Position:
    assert memory.created_at is not None  # noqa: S101  # a stored memory has the time at which it was stored
    return Position(memory.created_at, memory.id)


def _note(views: Sequence[MemoryView], more: str) -> str | None:
    cut = "Some are cut, see their cut: get_memory shows one whole." if any(view.cut for view in views) else ""
    return (more + cut).strip() or None


def _joined(heading: str, texts: Iterable[str], note: str | None) -> str:
    return "\n\n".join(part for part in (heading, *texts, note) if part)


def _answer(text: str, value: BaseModel) -> Answer:
    return Answer(text=text, structured=value.model_dump(mode="json"))
