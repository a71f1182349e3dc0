"""The types of fields: each says in one place what it takes, and what is wrong with what it does not take."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias, cast

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints
from pydantic_core import PydanticCustomError

from memory_server.domain.memories import MAX_CONTENT_BYTES, MAX_METADATA_BYTES
from memory_server.domain.queries import MAX_LIMIT
from plugin_kit.json_types import dumps
from plugin_kit.models import MemoryType

MAX_QUERY_BYTES: Final = 8 * 1024
MAX_NAME: Final = 200
MAX_TAG: Final = 100
MAX_TAGS: Final = 50
MAX_METADATA_DEPTH: Final = 32

_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def fault(message: str) -> PydanticCustomError:
    """Return the error that says ``message`` of the field that is being validated."""
    return PydanticCustomError("invalid", "{message}", {"message": message})


def text_fault(text: str) -> str | None:
    """Return what keeps ``text`` from being stored and sent on, if anything does."""
    if "\0" in text:
        return "must not contain the NUL character (U+0000)"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode: it contains half of a surrogate pair"
    return None


def check_text(text: str) -> str:
    """Return ``text``; raise where it cannot be stored."""
    message = text_fault(text)
    if message is not None:
        raise fault(message)
    return text


def at_most(limit: int) -> Callable[[str], str]:
    """Return the check that a text has at most ``limit`` bytes of UTF-8."""

    def check(text: str) -> str:
        size = len(text.encode())
        if size > limit:
            raise fault(f"must be at most {limit:,} bytes of UTF-8: it is {size:,} bytes")
        return text

    return check


def check_object(limit: int) -> Callable[[object], object]:
    """Return the check that a JSON object can be stored, and has at most ``limit`` bytes of compact JSON."""

    def check(value: object) -> object:
        if not isinstance(value, dict):
            return value  # the type of the field says what is wrong
        given = cast("dict[str, object]", value)
        for item in _parts(given):
            if isinstance(item, str):
                check_text(item)
            elif isinstance(item, float) and not math.isfinite(item):
                raise fault("must not contain NaN, an infinity, or a number beyond 1.8e308")
        size = len(dumps(given).encode())
        if size > limit:
            raise fault(f"must be at most {limit:,} bytes of compact JSON: it is {size:,} bytes")
        return given

    return check


def _parts(value: object, depth: int = 1) -> Iterator[object]:
    """Yield the keys and the values inside a JSON value, and itself where it has none."""
    if depth > MAX_METADATA_DEPTH and isinstance(value, dict | list):
        raise fault(f"must not be nested deeper than {MAX_METADATA_DEPTH} levels")
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        yield from entries
        for entry in entries.values():
            yield from _parts(entry, depth + 1)
    elif isinstance(value, list):
        for entry in cast("list[object]", value):
            yield from _parts(entry, depth + 1)
    else:
        yield value


def _parse_time(value: object) -> datetime:
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value.upper())
            if time.tzinfo is not None:
                return time.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise fault(
        "must be a time with its offset from UTC, as in 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00"
        " (in a query string write + as %2B)"
    )


def _check_future(time: datetime) -> datetime:
    if time <= datetime.now(UTC):
        raise fault("must be in the future")
    return time


def _check_id(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise fault("must be the id of a memory, a UUID")
    return text.lower()


def _distinct(items: list[str]) -> list[str]:
    return list(dict.fromkeys(items))


Content: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_CONTENT_BYTES),
    AfterValidator(check_text),
    AfterValidator(at_most(MAX_CONTENT_BYTES)),
    Field(description="What is to be remembered: 1 byte to 64 KiB of UTF-8."),
]
Query: TypeAlias = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_QUERY_BYTES),
    AfterValidator(check_text),
    AfterValidator(at_most(MAX_QUERY_BYTES)),
    Field(description="What is looked for, in any words: 1 byte to 8 KiB of UTF-8."),
]
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(check_text)]
Tag: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TAG), AfterValidator(check_text)]
Tags: TypeAlias = Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(_distinct)]
Types: TypeAlias = Annotated[list[MemoryType], Field(max_length=MAX_TAGS)]
Importance: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Limit: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MAX_LIMIT)]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]
Metadata: TypeAlias = Annotated[dict[str, JsonValue], BeforeValidator(check_object(MAX_METADATA_BYTES))]
Time: TypeAlias = Annotated[datetime, BeforeValidator(_parse_time)]
FutureTime: TypeAlias = Annotated[Time, AfterValidator(_check_future)]
MemoryId: TypeAlias = Annotated[str, AfterValidator(_check_id), Field(json_schema_extra={"format": "uuid"})]
