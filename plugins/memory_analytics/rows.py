"""Rows of counts, read and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from plugin_kit.json_types import JsonObject

NO_PROJECT = "(no project)"


def number(row: JsonObject, key: str) -> int:
    """Return a whole number of ``row``; 0 where the key has none."""
    return int(cast("int | None", row.get(key)) or 0)


def decimal(row: JsonObject, key: str) -> float | None:
    """Return a number of ``row``, rounded to thousandths."""
    value = cast("float | None", row.get(key))
    return None if value is None else round(float(value), 3)


def by_key(rows: Sequence[JsonObject], key: str) -> dict[str, int]:
    """Return the counts of ``rows`` by their ``key``, the highest first; null is no project."""
    counts: dict[str, int] = {}
    for row in rows:
        name = NO_PROJECT if row[key] is None else str(row[key])
        counts[name] = counts.get(name, 0) + number(row, "count")
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
