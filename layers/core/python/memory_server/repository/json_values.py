"""PostgreSQL's values as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import cast

from psycopg.rows import DictRow

from plugin_kit.json_types import JsonObject, JsonValue


def json_row(row: DictRow) -> JsonObject:
    """Return ``row`` as a JSON object by column name."""
    return {name: json_value(value) for name, value in row.items()}


def json_value(value: object) -> JsonValue:
    """Return ``value`` as JSON: times in ISO 8601, numerics as numbers, bytea in hex, any other type as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return _number(value)
        case date() | time():
            return value.isoformat()
        case bytes():
            return f"\\x{value.hex()}"
        case list() | tuple():
            return [json_value(item) for item in cast("list[object]", value)]
        case Mapping():
            return {str(name): json_value(item) for name, item in cast("Mapping[object, object]", value).items()}
        case _:
            return str(value)


def _number(value: float | Decimal) -> int | float | str:
    """Return whole numerics exactly; what JSON has no word for (NaN, infinities) is text."""
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return float(value)
