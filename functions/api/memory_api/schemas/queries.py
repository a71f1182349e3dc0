"""How memories are asked for: filters, pages, searches, and deleting many."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from memory_api.cursor import Cursor
from memory_api.schemas.fields import (
    Flag,
    Importance,
    Limit,
    MemoryId,
    Metadata,
    Name,
    Query,
    Tags,
    Time,
    Types,
    fault,
)
from memory_api.schemas.memories import Body, MemoryOut
from memory_server.domain.queries import MAX_LIMIT, Hit, MemoryFilter, SearchMode, SearchQuery

MAX_IDS: Final = 1000


class Conditions(Body):
    """Conditions that all hold; one that is left out holds always."""

    project: Name | None = None
    session_id: Name | None = None
    memory_type: Types = Field([], description="Any of these types.")
    tags_any: Tags = Field([], description="At least one of these tags.")
    tags_all: Tags = Field([], description="All of these tags.")
    since: Time | None = Field(None, description="Created then or later.")
    until: Time | None = Field(None, description="Created before then.")
    min_importance: Importance | None = None

    @field_validator("until")
    @classmethod
    def _until_is_after_since(cls, until: Time | None, info: ValidationInfo) -> Time | None:
        since = info.data.get("since")
        if until is not None and since is not None and until <= since:
            raise fault("must be later than since")
        return until

    def filter(self) -> MemoryFilter:
        """Return the filter that the services apply."""
        return MemoryFilter(
            project=self.project,
            session_id=self.session_id,
            memory_types=tuple(self.memory_type),
            tags_any=tuple(self.tags_any),
            tags_all=tuple(self.tags_all),
            since=self.since,
            until=self.until,
            min_importance=self.min_importance,
        )


class ListParameters(Conditions):
    """The query string of a list: numbers come as text."""

    min_importance: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50
    cursor: Cursor | None = Field(None, description="next_cursor of the page before.")


class BodyConditions(Conditions):
    """Conditions in a body, where metadata can be named too."""

    metadata: Metadata | None = Field(None, description="Contained in the memory's metadata (PostgreSQL's @>).")

    def filter(self) -> MemoryFilter:
        """Return the filter that the services apply."""
        base = super().filter()
        return replace(base, metadata=self.metadata) if self.metadata else base


class SearchConditions(BodyConditions):
    """A search: what is looked for, and conditions that every result fulfils."""

    query: Query
    limit: Limit = 10
    mode: SearchMode = Field("hybrid", description="By meaning and by words, by meaning alone, or by words alone.")
    min_score: Importance = Field(0.0, description="Results with a lower score are left out.")

    def search_query(self) -> SearchQuery:
        """Return the query that the services answer."""
        return SearchQuery(
            text=self.query, limit=self.limit, mode=self.mode, filter=self.filter(), min_score=self.min_score
        )


class SearchRequest(SearchConditions):
    """A search, as it is asked for over HTTP."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "Which database does billing use?", "project": "billing", "limit": 5}]
        }
    )

    explain: Flag = Field(False, description="Give each result's ranks and scores.")


class ExplanationOut(BaseModel):
    """The place and raw score of a result by meaning and by words; null where that leg did not run or find it."""

    model_config = ConfigDict(from_attributes=True)

    semantic_rank: int | None
    semantic_score: float | None
    keyword_rank: int | None
    keyword_score: float | None


class SearchHit(BaseModel):
    """A memory that was found."""

    memory: MemoryOut
    score: float = Field(description="0 to 1, higher is nearer.", ge=0, le=1)
    explain: ExplanationOut | None = Field(
        None, description="Only where it was asked for.", exclude_if=lambda value: value is None
    )

    @classmethod
    def of(cls, hit: Hit, *, explain: bool) -> SearchHit:
        """Return the answer that shows ``hit``."""
        return cls(
            memory=MemoryOut.of(hit.memory),
            score=hit.score,
            explain=ExplanationOut.model_validate(hit.explanation) if explain else None,
        )


class SearchResults(BaseModel):
    """What was found, best first."""

    results: list[SearchHit]
    mode: SearchMode
    model: str | None = Field(description="The id of the embedding model; null where the mode is keyword.")


class DeleteRequest(Body):
    """Which memories to delete: exactly one of ids, filter and all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"filter": {"project": "billing", "tags_any": ["obsolete"]}, "dry_run": True},
                {"ids": ["019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"]},
            ]
        }
    )

    ids: Annotated[list[MemoryId], Field(min_length=1, max_length=MAX_IDS)] | None = None
    filter: BodyConditions | None = Field(None, description="At least one condition.")
    all: Flag = Field(False, description="Every memory that you have.")
    dry_run: Flag = Field(False, description="Only say which memories would be deleted.")

    @field_validator("filter")
    @classmethod
    def _filter_has_a_condition(cls, conditions: BodyConditions | None) -> BodyConditions | None:
        if conditions is not None and conditions.filter().is_empty:
            raise fault('must have a condition: to delete every memory, send {"all": true} in its place')
        return conditions

    @model_validator(mode="after")
    def _one_selection(self) -> Self:
        if (self.ids is not None) + (self.filter is not None) + self.all != 1:
            raise fault("must have exactly one of ids, filter and all")
        return self

    def where(self) -> MemoryFilter | None:
        """Return the filter, or None where ids are given."""
        if self.ids is not None:
            return None
        return MemoryFilter() if self.filter is None else self.filter.filter()


class Deleted(BaseModel):
    """The memories that were deleted, or with dry_run would be."""

    dry_run: bool
    count: int
    ids: list[str]
