"""What surrounds every request: events are published, the request is logged, and a body has its limit.

Plain ASGI, because Starlette's BaseHTTPMiddleware would run the request in a task that it cancels.
"""

from __future__ import annotations

import re
import time
from typing import Final

from aws_lambda_powertools import Logger
from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory_api.errors import internal_error
from memory_server.domain.events import new_id
from memory_server.services.events import Events

# A Lambda's whole event may have 6 MB; the body is a JSON string inside it, where each quotation mark takes two bytes.
MAX_BODY_BYTES: Final = 5 * 1024 * 1024
_REQUEST_ID: Final = re.compile(r"[!-~]{1,128}")


class PublishEvents:
    """Publishes what a request left, after its answer.

    A server has sent the answer by then, and takes the connection's next request meanwhile; in a Lambda the events
    are out before the invocation ends.
    """

    def __init__(self, app: ASGIApp, events: Events) -> None:
        self._app = app
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                await self._events.flush()


class LogRequests:
    """Gives a request its id, logs one line about it, and answers for the errors that nobody expected."""

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self._app = app
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            error_id = new_id()
            self._logger.exception("internal error", error_id=error_id, request_id=request_id)
            if status:
                raise
            await internal_error(Request(scope), error_id)(scope, receive, send_with_id)
        self._logger.info(
            "request",
            request_id=request_id,
            method=scope["method"],
            route=getattr(scope.get("route"), "path", None),
            status=status,
            ms=round((time.perf_counter() - start) * 1000, 1),
        )


class LimitBody:
    """Refuses a body of more than ``MAX_BODY_BYTES`` as soon as it is seen to be too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY_BYTES or (announced.isdecimal() and int(announced) > MAX_BODY_BYTES):
                raise HTTPException(413, f"send at most {MAX_BODY_BYTES:,} bytes: split the batch")
            return message

        await self._app(scope, receive_within_limit, send)
