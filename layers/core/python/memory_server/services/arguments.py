"""Reading the JSON arguments of a plugin's call: every fault is named, nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import TypeAlias
from uuid import UUID

from memory_server.domain.errors import Fault, InvalidRequest
from plugin_kit.json_types import JsonObject, JsonValue, dumps


class WrongValue(Exception):
    """A value is not what it must be; the message says what would be right."""


# Returns what a JSON value stands for, or raises WrongValue.
Reader: TypeAlias = Callable[[JsonValue], object]


def read(arguments: JsonObject, readers: Mapping[str, Reader], *, required: Collection[str] = ()) -> dict[str, object]:
    """Return by name what the arguments stand for; those that are not given are not there.

    Raises:
        InvalidRequest: with a fault for each argument that is missing, unknown or wrong.
    """
    faults = [Fault((name,), "is missing") for name in required if name not in arguments]
    values: dict[str, object] = {}
    for name, value in arguments.items():
        reader = readers.get(name)
        if reader is None:
            faults.append(Fault((name,), f"is unknown: the arguments are {', '.join(readers)}"))
            continue
        try:
            values[name] = reader(value)
        except WrongValue as error:
            faults.append(Fault((name,), str(error)))
    if faults:
        raise InvalidRequest(faults)
    return values


def text(max_bytes: int) -> Reader:
    """Read text of 1 to ``max_bytes`` bytes that PostgreSQL can store."""

    def reader(value: JsonValue) -> str:
        if not isinstance(value, str):
            raise WrongValue("must be text")
        _check_storable(value)
        if not 1 <= _size(value) <= max_bytes:
            raise WrongValue(f"must be 1 to {max_bytes} bytes long")
        return value

    return reader


def number(low: float, high: float) -> Reader:
    """Read a number from ``low`` to ``high``."""

    def reader(value: JsonValue) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise WrongValue(f"must be a number from {low} to {high}")
        return float(value)

    return reader


def whole(low: int, high: int) -> Reader:
    """Read a whole number from ``low`` to ``high``."""

    def reader(value: JsonValue) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise WrongValue(f"must be a whole number from {low} to {high}")
        return value

    return reader


def choice(options: Sequence[str]) -> Reader:
    """Read one of the ``options``."""

    def reader(value: JsonValue) -> JsonValue:
        if value not in options:
            raise WrongValue(f"must be one of {', '.join(options)}")
        return value

    return reader


def many(item: Reader, *, most: int) -> Reader:
    """Read an array of at most ``most`` items."""

    def reader(value: JsonValue) -> tuple[object, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise WrongValue(f"must be an array of at most {most} items")
        return tuple(map(item, value))

    return reader


def optional(item: Reader) -> Reader:
    """Read null, or an item."""
    return lambda value: None if value is None else item(value)


def boolean(value: JsonValue) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise WrongValue("must be true or false")
    return value


def time(value: JsonValue) -> datetime:
    """Read a time in ISO 8601 with its offset from UTC."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise WrongValue("must be a time in ISO 8601 with an offset, as in 2026-01-31T12:00:00+00:00")
    return moment


def uuid(value: JsonValue) -> str:
    """Read a UUID, as text in lower case."""
    try:
        return str(UUID(value if isinstance(value, str) else ""))
    except ValueError:
        raise WrongValue("must be a UUID") from None


def json_object(max_bytes: int) -> Reader:
    """Read a JSON object of at most ``max_bytes`` bytes that PostgreSQL can store."""

    def reader(value: JsonValue) -> JsonObject:
        if not isinstance(value, Mapping):
            raise WrongValue("must be a JSON object")
        check(value)
        return value

    check = json_of(max_bytes)
    return reader


def json_of(max_bytes: int) -> Reader:
    """Read any JSON of at most ``max_bytes`` bytes that PostgreSQL can store."""

    def reader(value: JsonValue) -> JsonValue:
        _check_storable(value)
        if _size(dumps(value)) > max_bytes:
            raise WrongValue(f"must be at most {max_bytes} bytes of JSON")
        return value

    return reader


def json_value(value: JsonValue) -> JsonValue:
    """Read any JSON that PostgreSQL can store."""
    _check_storable(value)
    return value


def _check_storable(value: JsonValue) -> None:
    """Raise WrongValue where ``value`` has within it what neither UTF-8 nor PostgreSQL can hold."""
    if isinstance(value, str):
        if "\x00" in value or not _is_utf8(value):
            raise WrongValue("must be text without NUL characters and halves of surrogate pairs")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            _check_storable(name)
            _check_storable(item)
    elif isinstance(value, list):
        for item in value:
            _check_storable(item)
    elif isinstance(value, float) and not isfinite(value):
        raise WrongValue("must be a number that JSON can hold")


def _is_utf8(text: str) -> bool:
    try:
        _size(text)
    except UnicodeEncodeError:
        return False
    return True


def _size(text: str) -> int:
    """Return how many bytes of UTF-8 a text has."""
    return len(text) if text.isascii() else len(text.encode())
