"""What a user has here, as a whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from memory_api.auth import Caller, MemoryWriter
from memory_api.dependencies import Accounts, Erasure
from memory_api.problems import problems
from memory_api.schemas.me import ErasureParameters, Me

router = APIRouter(prefix="/me", tags=["me"])


@router.get("", responses=problems(422, 503))
async def show_me(caller: Caller, accounts: Accounts) -> Me:
    """Show whom the credential stands for, what it may, what the user has stored and may store."""
    return Me.of(caller, await accounts.of(caller))


@router.delete("", status_code=204, responses=problems(422, 503))
async def erase_me(
    caller: MemoryWriter,
    request: Request,
    erasure: Erasure,
    parameters: Annotated[ErasureParameters, Query()],
) -> None:
    """Erase all that the user has, everywhere: memories and their history, events, and what plugins keep of the user.

    Their API keys go last, this request's too. What is on its way to a plugin is dropped. After a 503, ask again.
    """
    request.state.audited = True
    assert parameters.confirm  # noqa: S101  # what validation let through
    await erasure.erase(caller)
