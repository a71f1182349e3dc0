"""How endpoints answer errors: as problem documents (RFC 9457), like the server's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeAlias

from plugin_kit.context import Context
from plugin_kit.json_types import JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse

from .errors import NotificationError

Answer: TypeAlias = "EndpointResponse | JsonValue"
Handler: TypeAlias = Callable[[EndpointRequest, Context], Awaitable[Answer]]

_TITLES = {404: "Not found", 409: "Conflict", 422: "Invalid request", 502: "Not delivered"}


def answering(handler: Handler) -> Handler:
    """Return ``handler`` with each NotificationError as the answer that tells of it."""

    @wraps(handler)
    async def answer(request: EndpointRequest, context: Context) -> Answer:
        try:
            return await handler(request, context)
        except NotificationError as error:
            body = {
                "type": "about:blank",
                "title": _TITLES[error.status],
                "status": error.status,
                "detail": str(error),
            }
            return EndpointResponse(status=error.status, body=body, content_type="application/problem+json")

    return answer
