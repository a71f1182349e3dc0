"""JSON Schema (draft 2020-12) as plugins write it: checked when it comes, and then what is held against it.

A schema is a plugin's, so it is not trusted: references lead nowhere outside of it, and a pattern that would search for
ever is given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from memory_server.domain.errors import Fault
from plugin_kit.json_types import JsonObject, JsonValue

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

_MAX_FAULTS: Final = 100
_BACKTRACK_LIMIT: Final = 100_000


def schema_fault(schema: JsonObject) -> str | None:
    """Return what keeps ``schema`` from being used, if anything does."""
    from jsonschema_rs import ValidationError

    try:
        _validator(schema)
    except ValidationError as error:
        return f"at /{'/'.join(map(str, error.instance_path))}: {error.message}"
    return None


def value_faults(schema: JsonObject, value: JsonValue) -> list[Fault]:
    """Return what is wrong with ``value`` by ``schema``, each fault with the path inside of it; not more than 100."""
    errors = _validator(schema).iter_errors(value)
    return list(islice((fault for error in errors for fault in _faults(error)), _MAX_FAULTS))


def _validator(schema: JsonObject) -> Draft202012Validator:
    # Imported here: it is large, and few requests need it.
    from jsonschema_rs import Draft202012Validator, FancyRegexOptions

    return Draft202012Validator(
        cast("dict[str, Any]", schema),
        validate_formats=True,
        offline=True,
        mask="the value",
        pattern_options=FancyRegexOptions(backtrack_limit=_BACKTRACK_LIMIT),
    )


def _faults(error: ValidationError) -> Iterator[Fault]:
    """Yield a fault for each property that is missing or too much, and else the error's one."""
    from jsonschema_rs import ValidationErrorKind

    path = tuple(error.instance_path)
    match error.kind:
        case ValidationErrorKind.Required(name):
            yield Fault((*path, name), "is missing")
        case ValidationErrorKind.AdditionalProperties(names) | ValidationErrorKind.UnevaluatedProperties(names):
            yield from (Fault((*path, name), "is not known here: remove it") for name in names)
        case _:
            yield Fault(path, error.message)
