"""Storing drafts: many in few statements, and each content once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from psycopg.rows import DictRow

from memory_server.domain.errors import Unavailable
from memory_server.domain.events import new_id
from memory_server.domain.memories import MemoryDraft, StoreResult, Vector, content_hash
from memory_server.domain.principals import Principal
from memory_server.repository.pool import Connection
from memory_server.repository.rows import half_vector, memory_of
from memory_server.repository.sql import statement
from plugin_kit.json_types import dumps
from plugin_kit.models import Memory

ContentKey: TypeAlias = "tuple[bytes, str | None]"
"""What makes two memories of a user the same: the content's hash, and the project."""


async def find_duplicates(connection: Connection, drafts: Sequence[MemoryDraft]) -> dict[int, Memory]:
    """Return by index the oldest memories that hold the drafts' contents, except where a duplicate is wanted."""
    indexes = [index for index, draft in enumerate(drafts) if not draft.allow_duplicate]
    found = await find_by_content(connection, [_key(drafts[index]) for index in indexes])
    return {indexes[place]: memory for place, memory in found.items()}


async def find_by_content(connection: Connection, keys: Sequence[ContentKey]) -> dict[int, Memory]:
    """Return by place in ``keys`` the oldest memory of that content and project."""
    if not keys:
        return {}
    cursor = await connection.execute(statement("find_duplicates"), _wanted(keys))
    return {row["number"] - 1: memory_of(row) for row in await cursor.fetchall()}


async def bury_expired(connection: Connection, keys: Sequence[ContentKey]) -> None:
    """Move expired memories of those contents to the history, so that the contents can be stored again."""
    await connection.execute(statement("bury_expired"), _wanted(keys))


async def add(
    connection: Connection,
    principal: Principal,
    drafts: Sequence[MemoryDraft],
    vectors: Mapping[int, Vector],
    model_id: str,
) -> tuple[list[StoreResult], dict[int, int]]:
    """Store the drafts, or find what is there, in order; of one content in two drafts the first is stored.

    Return the bytes of those that were stored, too, by index.
    """
    await bury_expired(connection, [_key(draft) for draft in drafts])
    originals = _originals(drafts)
    results: dict[int, StoreResult] = {}
    sizes: dict[int, int] = {}
    missing = sorted(set(originals.values()))
    while missing:
        # Another transaction may store a content, or delete it, between the two statements: then look again.
        found = await find_duplicates(connection, [drafts[index] for index in missing])
        results |= {missing[place]: StoreResult(memory=memory, created=False) for place, memory in found.items()}
        wanted = [index for index in missing if index not in results]
        for index, row in await _insert(
            connection, principal, {index: drafts[index] for index in wanted}, vectors, model_id
        ):
            results[index] = StoreResult(memory=memory_of(row), created=True)
            sizes[index] = row["bytes"]
        missing = [index for index in missing if index not in results]
    answers = [
        results[index] if original == index else StoreResult(memory=results[original].memory, created=False)
        for index, original in originals.items()
    ]
    return answers, dict(sorted(sizes.items()))


async def _insert(
    connection: Connection,
    principal: Principal,
    drafts: Mapping[int, MemoryDraft],
    vectors: Mapping[int, Vector],
    model_id: str,
) -> list[tuple[int, DictRow]]:
    """Insert the drafts and return the rows of those that went in: another transaction may have been faster."""
    if not drafts:
        return []
    if not vectors.keys() >= drafts.keys():
        # The duplicate that spared a draft its embedding was deleted meanwhile.
        raise Unavailable("database", retry_after=1)
    ids = {new_id(): index for index in drafts}
    cursor = await connection.execute(
        statement("add"),
        {
            "user_id": principal.user_id,
            "model_id": model_id,
            "ids": list(ids),
            "contents": [draft.content for draft in drafts.values()],
            "hashes": [content_hash(draft.content) for draft in drafts.values()],
            "projects": [draft.project for draft in drafts.values()],
            "sessions": [draft.session_id for draft in drafts.values()],
            "types": [draft.memory_type for draft in drafts.values()],
            "tags": [dumps(draft.tags) for draft in drafts.values()],
            "importances": [draft.importance for draft in drafts.values()],
            "metadata": [dumps(draft.metadata) for draft in drafts.values()],
            "expiries": [draft.expires_at for draft in drafts.values()],
            "single": [not draft.allow_duplicate for draft in drafts.values()],
            "vectors": [half_vector(vectors[index]) for index in drafts],
        },
    )
    return [(ids[str(row["id"])], row) for row in await cursor.fetchall()]


def _originals(drafts: Sequence[MemoryDraft]) -> dict[int, int]:
    """Return for each draft the index of the draft that stands for its content: its own, or an earlier one."""
    first: dict[ContentKey, int] = {}
    originals: dict[int, int] = {}
    for index, draft in enumerate(drafts):
        same = first.setdefault(_key(draft), index)
        originals[index] = index if draft.allow_duplicate else same
    return originals


def _key(draft: MemoryDraft) -> ContentKey:
    return content_hash(draft.content), draft.project


def _wanted(keys: Sequence[ContentKey]) -> dict[str, object]:
    return {"hashes": [content for content, _ in keys], "projects": [project for _, project in keys]}
