"""JSON as a file may have it: no NaN, and every failure said in one way."""

from __future__ import annotations

import json
from typing import Final, NoReturn, cast

from plugin_kit.json_types import JsonValue


class NotJson(ValueError):
    """A text is not JSON; the message continues the words "the value ..."."""


def _refuse(constant: str) -> NoReturn:
    raise NotJson(f"is not JSON: {constant} is no number")


DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dumps(value: object) -> str:
    """Return ``value`` as compact JSON. One encoder for all: making it takes longer than most values do.

    Raises:
        ValueError: the value holds NaN or an infinity.
    """
    return _ENCODER.encode(value)


def loads(text: str) -> JsonValue:
    """Return the value of ``text``.

    Raises:
        NotJson: the text is not JSON, or Python cannot hold it.
    """
    try:
        return cast(JsonValue, DECODER.decode(text))
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson(f"is not JSON: {error.msg}, at column {error.colno}") from error
    except (RecursionError, ValueError) as error:
        raise NotJson(f"is JSON that cannot be read: {error}") from error
