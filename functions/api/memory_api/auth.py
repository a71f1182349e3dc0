"""Who makes a request. Until there is sign-in, everyone is the built-in user."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends

from memory_server.domain.principals import LOCAL, Principal


def principal() -> Principal:
    """Return the user that the request's credential stands for."""
    return LOCAL


Caller: TypeAlias = Annotated[Principal, Depends(principal)]
