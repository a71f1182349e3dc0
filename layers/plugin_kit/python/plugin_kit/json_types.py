"""The type of a JSON value, and the one way that it is written on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]


def dumps(value: object) -> str:
    """Return ``value`` as compact JSON text.

    Raises:
        ValueError: the value holds NaN or an infinity, which JSON has no word for.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
