"""How a fault of a manifest is worded: where it is, what is there, and the fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import cast

from plugin_kit.json_types import dumps


def at(place: str, fault: str) -> str:
    """Return ``fault`` with the place that it is at in front."""
    return f"{place}{fault}" if fault.startswith("[") else f"{place} {fault}"


def one_of(choices: Sequence[str]) -> str:
    """Return the fix that names all ``choices``."""
    return f"write one of {', '.join(choices)}"


def suggest(name: object, known: Mapping[str, object] | Sequence[str], otherwise: str) -> str:
    """Return the fix for an unknown ``name``: the nearest one that is known, or ``otherwise``."""
    near = get_close_matches(str(name), list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def text_faults(value: object) -> Iterator[str]:
    """Yield what is wrong with a text that must not be empty."""
    if not isinstance(value, str) or not value.strip():
        yield f"is {value!r}: write a text that is not empty"


def flag_faults(value: object) -> Iterator[str]:
    """Yield what is wrong with a yes or no."""
    if not isinstance(value, bool):
        yield f"is {value!r}: write True or False"


def schema_faults(value: object) -> Iterator[str]:
    """Yield what is wrong with a JSON Schema, as far as its being a JSON object goes."""
    try:
        is_json = isinstance(value, dict) and bool(dumps(cast("object", value)))
    except (TypeError, ValueError):
        is_json = False
    if not is_json:
        yield f"is {value!r}: write a JSON Schema as a dict of JSON values"
