"""The Lambda behind API Gateway."""

from __future__ import annotations

from functools import cache
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import LambdaContext, LambdaEvent

from memory_api.app import from_environment
from memory_api.problems import MEDIA_TYPE


@cache
def adapter() -> Mangum:
    """Return the app behind API Gateway's events, built once a cold start: its pool and clients outlive a request."""
    return Mangum(from_environment(), lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])


def handler(event: LambdaEvent, context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return adapter()(event, context)
