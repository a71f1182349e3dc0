"""Headers that say under which condition, or how often, a request is to be done (RFC 9110; Idempotency-Key)."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from fastapi import Header
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from memory_api.schemas.fields import fault
from memory_server.domain.quotas import QuotaName
from memory_server.services.rate_limits import WINDOW_SECONDS

# Versions count from 1: a well-formed tag that is not one of ours matches no memory.
_NO_VERSION: Final = 0
_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION: Final = re.compile(r"[1-9][0-9]{0,17}")
# Memories end by themselves only where they expire: it is worth asking again, but not soon.
QUOTA_RETRY_SECONDS: Final = 3600
_KEY: Final = re.compile(r"[!-~]{1,255}")


def etag(version: int) -> str:
    """Return the entity tag of a memory at ``version``."""
    return f'"{version}"'


def none_match(header: str | None, version: int) -> bool:
    """Return whether an If-None-Match ``header`` says that the client has ``version`` already (weak comparison)."""
    if header is None:
        return False
    return header.strip() == "*" or any(match[1] == str(version) for match in _tags(header))


def rate_limit_headers(quota: int, remaining: int, seconds: int) -> dict[str, str]:
    """Return what tells a client how many requests are left (draft-ietf-httpapi-ratelimit-headers)."""
    return {
        "RateLimit-Policy": f'"requests";q={quota};w={WINDOW_SECONDS}',
        "RateLimit": f'"requests";r={remaining};t={seconds}',
    }


def quota_headers(name: QuotaName, quota: int, remaining: int) -> dict[str, str]:
    """Return what tells a client how much of a quota is left. None of it comes back with time, so it has no window."""
    unit = ';qu="content-bytes"' if name == "bytes" else ""
    return {"RateLimit-Policy": f'"{name}";q={quota}{unit}', "RateLimit": f'"{name}";r={remaining}'}


def _tags(header: str) -> list[tuple[str, str]]:
    return [(weak, text) for weak, text in _TAG.findall(header)]


def _expected_version(header: object) -> object:
    """Return the version that If-Match names, None for ``*``, 0 for a tag that can match none (strong comparison)."""
    if not isinstance(header, str) or header.strip() == "*":
        return None
    tag = _TAG.fullmatch(header.strip())
    if tag is None:
        raise fault('must be * or one entity tag in double quotes, as the ETag of the memory was: "3"')
    if tag[1] or not _VERSION.fullmatch(tag[2]):
        return _NO_VERSION
    return int(tag[2])


def _check_key(key: str | None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        raise fault("must be 1 to 255 visible ASCII characters")
    return key


IfMatch: TypeAlias = Annotated[
    int | None,
    BeforeValidator(_expected_version),
    WithJsonSchema({"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*")$', "examples": ['"3"']}),
    Header(alias="If-Match", description="Do it only while the memory has this ETag, otherwise answer 412."),
]
IfNoneMatch: TypeAlias = Annotated[
    str | None,
    Header(alias="If-None-Match", description="Answer 304 while the memory has this ETag.", examples=['"3"']),
]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    AfterValidator(_check_key),
    WithJsonSchema({"type": "string", "pattern": "^[!-~]{1,255}$"}),
    Header(
        alias="Idempotency-Key",
        description=(
            "Makes a repeated request the same request: it is answered as the first one was, with the memory as it is"
            " by now, and nothing is stored twice. 1 to 255 visible ASCII characters."
        ),
    ),
]
