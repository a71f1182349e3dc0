"""Who makes a request, and whether they may: declared at each route by the type of its caller."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from memory_server.domain.errors import Unauthenticated
from memory_server.domain.principals import Principal

_BEARER: Final = HTTPBearer(
    scheme_name="bearer",
    description="An API key (mms_...) or an access token. The scope that a route asks for stands beside it.",
    auto_error=False,
)


def known(request: Request) -> Principal | None:
    """Return whom ``request`` comes from, None where it carries no credential."""
    return cast("Principal | None", request.state.principal)


def principal(request: Request, required: SecurityScopes, _: Annotated[object, Depends(_BEARER)]) -> Principal:
    """Return the user that the request's credential stands for.

    Raises:
        Unauthenticated: the request carries no credential; one that is wrong never gets here.
        InsufficientScope: it lacks a scope that the route asks for.
    """
    request.state.scopes = required.scopes
    caller = known(request)
    if caller is None:
        raise Unauthenticated(given=False)
    for scope in required.scopes:
        caller.require(scope)
    return caller


Caller: TypeAlias = Annotated[Principal, Security(principal)]
"""Anyone who has signed in: what is done for them needs a scope that only the request tells."""
MemoryReader: TypeAlias = Annotated[Principal, Security(principal, scopes=["memories:read"])]
MemoryWriter: TypeAlias = Annotated[Principal, Security(principal, scopes=["memories:write"])]
PluginReader: TypeAlias = Annotated[Principal, Security(principal, scopes=["plugins:read"])]
PluginAdmin: TypeAlias = Annotated[Principal, Security(principal, scopes=["plugins:admin"])]
KeyAdmin: TypeAlias = Annotated[Principal, Security(principal, scopes=["keys:admin"])]
