"""API keys: made, listed, rotated, revoked."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path, Query

from memory_api import cursor
from memory_api.auth import KeyAdmin
from memory_api.dependencies import Keys
from memory_api.problems import problems
from memory_api.schemas.keys import KeyCreate, KeyList, KeyOut, KeyParameters, NewKeyOut

router = APIRouter(prefix="/keys", tags=["keys"])

KeyId: TypeAlias = Annotated[str, Path(description="The key's id, not its secret.", examples=["5f2c8d1e9a0b4c73"])]


@router.post("", status_code=201, responses=problems(413, 415, 422, 503))
async def create_key(body: KeyCreate, keys: Keys, _: KeyAdmin) -> NewKeyOut:
    """Make a key for a user. This answer alone shows it: what is stored is its hash."""
    return NewKeyOut.made(await keys.create(body.draft()))


@router.get("", responses=problems(422, 503))
async def list_keys(parameters: Annotated[KeyParameters, Query()], keys: Keys, _: KeyAdmin) -> KeyList:
    """List the keys, a page at a time; a page may end before its limit, next_cursor leads on."""
    page = await keys.list(user_id=parameters.user_id, after=parameters.cursor, limit=parameters.limit)
    return KeyList(
        keys=[KeyOut.of(key) for key in page.keys],
        next_cursor=None if page.next is None else cursor.encode_text(page.next),
    )


@router.post("/{key_id}/rotate", responses=problems(404, 422, 503))
async def rotate_key(key_id: KeyId, keys: Keys, _: KeyAdmin) -> NewKeyOut:
    """Give a key a new secret; the old one ends, within 5 seconds everywhere.

    A program that must not be without a key meanwhile gets a second key first, and this one is revoked then.
    """
    return NewKeyOut.made(await keys.rotate(key_id))


@router.delete("/{key_id}", status_code=204, responses=problems(404, 422, 503))
async def revoke_key(key_id: KeyId, keys: Keys, _: KeyAdmin) -> None:
    """Revoke a key: it opens nothing any more, within 5 seconds everywhere."""
    await keys.revoke(key_id)
