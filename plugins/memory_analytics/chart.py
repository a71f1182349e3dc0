"""What a chart shows, apart from how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from plugin_kit.json_types import JsonObject

MAX_SERIES: Final = 6
"""More colours than these can hardly be told apart: the rest is one series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart. ``series`` have a value a label, None where there is none; ``empty`` stands where there are no values.

    "bars" are stacked over time, "lines" have a logarithmic scale over time, "levels" lie and end at 100.
    """

    kind: Literal["bars", "lines", "levels"]
    title: str
    description: str
    label_title: str
    value_title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    empty: str


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of an endpoint, in both of its forms."""

    body: JsonObject
    chart: Chart
