"""Arguments and answers of the tools for agents. What a field takes is said where the HTTP API says it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from memory_api.cursor import Cursor
from memory_api.mcp.budget import Budgeted
from memory_api.mcp.views import MemoryView
from memory_api.schemas.fields import Limit, MemoryId, Query
from memory_api.schemas.memories import Body, MemoryUpdate
from memory_api.schemas.queries import BodyConditions, SearchConditions

Version = Annotated[
    int | None, Field(strict=True, ge=1, description="Do it only while the memory is at this version; else it fails.")
]
Offset = Annotated[int, Field(strict=True, ge=0, description="Begin at this character of the content.")]


class SearchMemories(Budgeted, SearchConditions):
    """Arguments of search_memories."""


class ListMemories(Budgeted, BodyConditions):
    """Arguments of list_memories."""

    limit: Limit = 20
    cursor: Cursor | None = Field(None, description="next_cursor of the page before.")


class GetMemory(Budgeted, Body):
    """Arguments of get_memory."""

    memory_id: MemoryId
    offset: Offset = 0


class UpdateMemory(MemoryUpdate):
    """Arguments of update_memory."""

    memory_id: MemoryId
    expected_version: Version = None


class DeleteMemory(Body):
    """Arguments of delete_memory."""

    memory_id: MemoryId
    expected_version: Version = None


class SearchDocuments(Budgeted, Body):
    """Arguments of search."""

    query: Query


class FetchDocument(Budgeted, Body):
    """Arguments of fetch."""

    id: MemoryId
    offset: Offset = 0


class Stored(BaseModel):
    """What became of a memory that was to be stored."""

    id: str
    version: int
    created: bool = Field(description="False where the project had this content already: id is that memory's.")


class Updated(BaseModel):
    """What became of a memory that was to be changed."""

    id: str
    version: int


class Deleted(BaseModel):
    """The memory that was deleted."""

    id: str


class FoundMemory(BaseModel):
    """A memory that was found."""

    score: float = Field(description="0 to 1, higher is nearer.")
    memory: MemoryView


class FoundMemories(BaseModel):
    """What was found, best first."""

    results: list[FoundMemory]
    omitted: int = Field(description="How many more were found and did not fit into max_tokens.")
    note: str | None = Field(description="What was cut, and how to get it.")


class ListedMemories(BaseModel):
    """A page of memories, from new to old."""

    memories: list[MemoryView]
    next_cursor: str | None = Field(description="Give it as cursor to get the next page; null at the end.")
    note: str | None = Field(description="What was cut, and how to get it.")


class OneMemory(BaseModel):
    """A memory, or what fits of it."""

    memory: MemoryView
    next_offset: int | None = Field(description="Give it as offset to read on; null at the end of the content.")
    note: str | None = Field(description="What was cut, and how to get it.")


class DocumentLink(BaseModel):
    """A memory that search found."""

    id: str
    title: str
    url: str


class DocumentLinks(BaseModel):
    """What search found, best first."""

    results: list[DocumentLink]


class Document(BaseModel):
    """A memory as a document."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, JsonValue]
