"""The door: nobody gets further without a credential that is right, save to what is open to strangers."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory_api.errors import domain_error
from memory_api.headers import rate_limit_headers
from memory_api.protected_resource import METADATA_PATH
from memory_server.domain.errors import MemoryServerError, Unauthenticated
from memory_server.domain.principals import LOCAL, Principal
from memory_server.services.rate_limits import RateLimits
from memory_server.services.sign_in import SignIn

OPEN_PATHS: Final = frozenset(
    {"/health", "/health/ready", "/docs", "/openapi.json", METADATA_PATH, f"{METADATA_PATH}/mcp"}
)
"""What strangers may ask: whether the server is well, what its API is, and how to sign in."""


class SignInFirst:
    """Puts the principal of each request into its state; None where a stranger asks what is open to strangers."""

    def __init__(self, app: ASGIApp, sign_in: SignIn, rate_limits: RateLimits) -> None:
        self._app = app
        self._sign_in = sign_in
        self._rate_limits = rate_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, limit = Request(scope), None
        request.state.principal = None
        try:
            request.state.principal = await self._principal(request)
            if request.state.principal is not None:
                limit = await self._rate_limits.admit(request.state.principal)
        except MemoryServerError as error:
            await domain_error(request, error)(scope, receive, send)
            return

        async def send_with_limit(message: Message) -> None:
            if message["type"] == "http.response.start" and limit is not None:
                headers = MutableHeaders(scope=message)
                for name, value in rate_limit_headers(limit.quota, limit.remaining, limit.seconds).items():
                    headers[name] = ", ".join(filter(None, (value, headers.get(name))))
            await send(message)

        await self._app(scope, receive, send_with_limit)

    async def _principal(self, request: Request) -> Principal | None:
        headers = request.headers.getlist("authorization")
        if not headers:
            if request.url.path in OPEN_PATHS:
                return None
            raise Unauthenticated(given=False)
        scheme, _, credential = headers[0].partition(" ")
        if len(headers) > 1 or scheme.lower() != "bearer":
            raise Unauthenticated
        return await self._sign_in.principal(credential.strip())


class LocalOnly:
    """Takes everyone on this machine for the built-in user, and nobody else.

    A page of the web in this machine's browser comes from here too: it is told by the name that it asked for, or by the
    origin that its browser names.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            request.state.principal = LOCAL
            if not _is_from_here(request):
                request.state.principal = None
                await domain_error(request, Unauthenticated(given=False))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine's own name or address, which no other machine can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_from_here(request: Request) -> bool:
    origin = request.headers.get("origin")
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and is_loopback(request.url.hostname or "")
        and (origin is None or is_loopback(urlsplit(origin).hostname or ""))
    )
