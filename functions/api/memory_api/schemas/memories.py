"""Memories in requests and answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict

from memory_api.schemas.fields import Content, Flag, FutureTime, Importance, Metadata, Name, Tags
from memory_server.domain.memories import MAX_BATCH, MemoryDraft, MemoryPatch, StoreResult
from plugin_kit.models import Memory, MemoryType

_DRAFT: Final[JsonDict] = {
    "content": "We chose PostgreSQL for the billing service.",
    "memory_type": "decision",
    "project": "billing",
    "tags": ["database"],
    "importance": 0.8,
    "metadata": {"ticket": "BILL-12"},
}
_MEMORY: Final[JsonDict] = {
    **_DRAFT,
    "id": "019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40",
    "session_id": None,
    "version": 1,
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:00:00Z",
    "expires_at": None,
}


class Body(BaseModel):
    """A request's body: a field that it does not know is refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class MemoryCreate(Body):
    """A memory to store."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DRAFT]})

    content: Content
    memory_type: MemoryType = "knowledge"
    project: Name | None = Field(None, description="Memories of one project are held to be different by their content.")
    session_id: Name | None = None
    tags: Tags = Field([], description="At most 50; a tag that comes twice counts once.")
    importance: Importance = 0.5
    metadata: Metadata = Field({}, description="At most 16 KiB as compact JSON, 32 levels deep.")
    expires_at: FutureTime | None = Field(None, description="From then on the memory is not found any more.")
    allow_duplicate: Flag = Field(False, description="Store it even where the project has the same content already.")

    def draft(self) -> MemoryDraft:
        """Return what the services store."""
        return MemoryDraft(
            content=self.content,
            memory_type=self.memory_type,
            project=self.project,
            session_id=self.session_id,
            tags=tuple(self.tags),
            importance=self.importance,
            metadata=self.metadata,
            expires_at=self.expires_at,
            allow_duplicate=self.allow_duplicate,
        )


class MemoryBatch(Body):
    """Memories to store together, or not at all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"memories": [_DRAFT]}]})

    memories: Annotated[list[MemoryCreate], Field(min_length=1, max_length=MAX_BATCH)]


def _without_default(schema: JsonDict) -> None:
    schema.pop("default", None)


class MemoryUpdate(Body):
    """The fields to change. A field that is left out stays; null clears project, session_id and expires_at.

    ``metadata`` and ``tags`` are replaced as a whole.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"importance": 0.9, "tags": ["database", "settled"]}]})

    # A field that the request leaves out never reaches the patch, so the defaults are never read.
    content: Content = Field("", json_schema_extra=_without_default)
    memory_type: MemoryType = Field("knowledge", json_schema_extra=_without_default)
    project: Name | None = Field(None, json_schema_extra=_without_default)
    session_id: Name | None = Field(None, json_schema_extra=_without_default)
    tags: Tags = Field([], json_schema_extra=_without_default)
    importance: Importance = Field(0.5, json_schema_extra=_without_default)
    metadata: Metadata = Field({}, json_schema_extra=_without_default)
    expires_at: FutureTime | None = Field(None, json_schema_extra=_without_default)

    def patch(self) -> MemoryPatch:
        """Return the changes that the services apply."""
        changes = {name: getattr(self, name) for name in self.model_fields_set & MemoryUpdate.model_fields.keys()}
        if "tags" in changes:
            changes["tags"] = tuple(self.tags)
        return replace(MemoryPatch(), **changes)


class MemoryOut(BaseModel):
    """A memory as it is now, or as a version of it was."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_MEMORY]})

    id: str = Field(json_schema_extra={"format": "uuid"})
    content: str
    memory_type: MemoryType
    project: str | None
    session_id: str | None
    tags: list[str]
    importance: float
    metadata: dict[str, JsonValue]
    version: int = Field(description="Counts from 1; each change makes the next. It is also the ETag.")
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, memory: Memory) -> MemoryOut:
        """Return the answer that shows ``memory``."""
        return cls.model_validate(memory)


class BatchItem(BaseModel):
    """What became of one memory of a batch."""

    index: int = Field(description="Its place in the request, from 0.")
    status: Literal["created", "existing"] = Field(description="existing: the project has this content already.")
    memory: MemoryOut

    @classmethod
    def of(cls, index: int, result: StoreResult) -> BatchItem:
        """Return the answer that shows ``result``."""
        return cls(index=index, status="created" if result.created else "existing", memory=MemoryOut.of(result.memory))


class BatchResults(BaseModel):
    """A result for each memory of a batch, in the request's order."""

    results: list[BatchItem]


class MemoryList(BaseModel):
    """A page of memories, from new to old."""

    memories: list[MemoryOut]
    next_cursor: str | None = Field(description="Give it as cursor to get the next page; null at the end.")


class Version(BaseModel):
    """A memory as it was until it was replaced."""

    memory: MemoryOut
    replaced_at: datetime
    replaced_by: Literal["update", "delete"]


class History(BaseModel):
    """The versions before the present one, newest first."""

    versions: list[Version]
