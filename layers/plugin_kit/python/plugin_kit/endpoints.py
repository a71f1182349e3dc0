"""What an endpoint's handler may answer, and which endpoint a path belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from plugin_kit.errors import HookFailed
from plugin_kit.json_types import JsonValue, dumps
from plugin_kit.models import EndpointResponse

MAX_BODY_BYTES: Final = 5_000_000
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_STATUSES: Final = range(200, 600)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# HTTP writes headers in Latin-1.
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\xa0-\xff]*")


def match(pattern: str, path: str) -> dict[str, str] | None:
    """Return the values of the placeholders of ``pattern`` in ``path``, or None where the path is another."""
    expression = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(pattern))
    found = re.fullmatch(expression, path)
    return None if found is None else found.groupdict()


def placeholders(pattern: str) -> list[str]:
    """Return the names of the placeholders of ``pattern``, in their order."""
    return _PLACEHOLDER.findall(pattern)


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """Return the path that ``pattern`` stands for with ``values`` in its placeholders."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], pattern)


def response_of(answer: object) -> EndpointResponse:
    """Return what a handler answered as a response: a JSON value is the body of one with status 200.

    Raises:
        HookFailed: the answer is not JSON, is over 5 MB, or is a response that HTTP has no form for.
    """
    response = answer if isinstance(answer, EndpointResponse) else EndpointResponse(body=cast(JsonValue, answer))
    if response.status not in _STATUSES:
        raise HookFailed(f"the endpoint answered the status {response.status!r}: answer one from 200 to 599")
    _check_headers(response.headers)
    if not _HEADER_VALUE.fullmatch(response.content_type):
        raise HookFailed(f"the endpoint answered the content type {response.content_type!r}")
    if not is_json(response.content_type) and not isinstance(response.body, str):
        raise HookFailed(
            f"the endpoint answered a {type(response.body).__name__} as {response.content_type}, not a text"
        )
    _check_body(response.body)
    return response


def to_dict(response: EndpointResponse) -> dict[str, JsonValue]:
    """Return the JSON object that stands for ``response`` in the answer of the plugin's function."""
    return {
        "status": response.status,
        "headers": dict(response.headers),
        "body": response.body,
        "content_type": response.content_type,
    }


def is_json(content_type: str) -> bool:
    """Return whether a body of ``content_type`` is a JSON value and not a text."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in cast("Mapping[object, object]", headers).items():
        if not (isinstance(name, str) and _HEADER_NAME.fullmatch(name)):
            raise HookFailed(f"the endpoint answered a header named {name!r}")
        if name.lower() == "content-type":
            raise HookFailed("the endpoint answered a Content-Type among its headers: answer it as content_type")
        if not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
            raise HookFailed(f"the endpoint answered the header {name} with {value!r}: answer a text of one line")


def _check_body(body: JsonValue) -> None:
    try:
        size = len(dumps(body).encode())
    except (RecursionError, TypeError, ValueError) as error:
        raise HookFailed(f"the endpoint answered what is not JSON: {error}") from error
    if size > MAX_BODY_BYTES:
        raise HookFailed(f"the endpoint answered {size / 1e6:.1f} MB: answer at most {MAX_BODY_BYTES / 1e6:.0f} MB")
