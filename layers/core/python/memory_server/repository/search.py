"""Finding memories by meaning and by words, in one statement."""

from __future__ import annotations

from typing import Final

from memory_server.domain.memories import Vector
from memory_server.domain.queries import Explanation, Hit, SearchQuery
from memory_server.repository.pool import Connection
from memory_server.repository.rows import filter_json, half_vector, memory_of
from memory_server.repository.sql import statement

# docs/adr/0002-search-under-row-level-security.md has the measurements of the legs, 0005 those of the fusion.
EXACT_UP_TO: Final = 10_000
_LEG: Final = 50
_KEYWORD_WEIGHT: Final = 0.7
_KEYWORD_SURE: Final = 0.4
"""The ts_rank of a match from which words have their whole weight."""


async def search(connection: Connection, query: SearchQuery, vector: Vector | None, model_id: str) -> list[Hit]:
    """Return the best memories, best first; equal ones newest first. ``vector`` is None exactly in keyword mode."""
    cursor = await connection.execute(
        statement("search"),
        {
            "mode": query.mode,
            "text": query.text,
            "vector": None if vector is None else half_vector(vector),
            "model_id": model_id,
            "filter": filter_json(query.filter),
            "leg": max(_LEG, query.limit),
            "exact": EXACT_UP_TO,
            "keyword_weight": _KEYWORD_WEIGHT,
            "keyword_sure": _KEYWORD_SURE,
            "min_score": query.min_score,
            "limit": query.limit,
        },
    )
    return [
        Hit(
            memory=memory_of(row),
            score=row["score"],
            explanation=Explanation(
                semantic_rank=row["semantic_rank"],
                semantic_score=row["semantic_score"],
                keyword_rank=row["keyword_rank"],
                keyword_score=row["keyword_score"],
            ),
        )
        for row in await cursor.fetchall()
    ]
