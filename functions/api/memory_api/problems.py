"""Problem details (RFC 9457): how an error looks, and how the OpenAPI document says so."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from plugin_kit.json_types import JsonValue, dumps

MEDIA_TYPE: Final = "application/problem+json"
_TYPES: Final = "urn:memory-server:problem:"


class FieldFault(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(populate_by_name=True)

    field: str = Field(description="The field, parameter or header; a dotted path inside the body.")
    location: Literal["body", "query", "path", "header"] = Field(alias="in")
    pointer: str | None = Field(None, description="A JSON pointer into the body (RFC 6901), as a URI fragment.")
    detail: str = Field(description="What would be right.")


class Problem(BaseModel):
    """What went wrong, and what to do."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": f"{_TYPES}invalid-request",
                    "title": "The request is not valid",
                    "status": 422,
                    "detail": "importance: Input should be less than or equal to 1",
                    "instance": "/memories",
                    "errors": [
                        {
                            "field": "importance",
                            "in": "body",
                            "pointer": "#/importance",
                            "detail": "Input should be less than or equal to 1",
                        }
                    ],
                }
            ]
        },
    )

    type: str = Field(description="A URI that names the kind of problem; about:blank where the status says all.")
    title: str
    status: int
    detail: str | None = None
    instance: str = Field(description="The path that was asked for.")
    errors: list[FieldFault] | None = Field(None, description="Which fields are wrong, and why.")
    error_id: str | None = Field(None, description="Of an internal error: where the logs tell of it.")


_MEANINGS: Final[Mapping[int, str]] = {
    401: "Sign in: the credential is missing, or not valid",
    403: "The credential does not permit this: detail says what would",
    404: "There is no such thing, or it is not yours",
    409: "It cannot be done as things are: detail says what is in the way",
    412: "The memory has changed since the version that If-Match names",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "Something in the request is wrong: errors names each field and why",
    429: "The user, or the key, has asked as often as it may, or has as much as it may: detail says which",
    502: "The plugin failed: detail says what it raised",
    503: "A part that the request needs does not answer: Retry-After says when to come again",
}


def problem(
    request: Request,
    status: int,
    *,
    kind: str | None = None,
    title: str | None = None,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: JsonValue,
) -> Response:
    """Return the answer to ``request`` that tells of a problem; ``members`` extend it."""
    body = {
        "type": "about:blank" if kind is None else _TYPES + kind,
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        **({} if detail is None else {"detail": detail}),
        "instance": quote(request.url.path, errors="replace"),
        **members,
    }
    # A lone surrogate of the request, echoed in a message, must not make an internal error of the answer.
    return Response(
        dumps(body).encode(errors="replace"), status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI ``responses`` of a route that can answer with these problems."""
    return {status: described(_MEANINGS[status]) for status in statuses}


def described(meaning: str) -> dict[str, JsonValue]:
    """Return what OpenAPI says of an answer that is a problem."""
    return {"description": meaning, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
