"""The audit log: one line for every request that was denied, and for every one that administers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from aws_lambda_powertools import Logger
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory_server.domain.principals import Principal

_DENIED: Final = (401, 403, 429)
_ADMINISTRATIVE: Final = frozenset({"plugins:admin", "keys:admin"})


class Audit:
    """Says who asked for what, and what became of it. No line holds a credential, a body or a query."""

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self._app = app
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # an error that nobody expected answers so, further out

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            self._note(scope, status)

    def _note(self, scope: Scope, status: int) -> None:
        state = cast("dict[str, object]", scope.get("state", {}))
        asked = cast("Sequence[str]", state.get("scopes", ()))
        if status in _DENIED:
            outcome = "denied"
        elif _ADMINISTRATIVE.intersection(asked) or state.get("audited"):
            outcome = "done" if status < 400 else "failed"  # what HTTP calls an error
        else:
            return
        principal = cast("Principal | None", state.get("principal"))
        client = cast("tuple[str, int] | None", scope.get("client"))
        self._logger.info(
            "audit",
            outcome=outcome,
            request_id=state.get("request_id"),
            user_id=None if principal is None else principal.user_id,
            credential_id=None if principal is None else principal.credential_id,
            client=None if client is None else client[0],
            method=scope["method"],
            route=getattr(scope.get("route"), "path", None),
            path_params={name: str(value) for name, value in scope.get("path_params", {}).items()},
            scopes=list(asked),
            status=status,
        )
