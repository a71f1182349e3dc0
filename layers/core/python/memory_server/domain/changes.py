"""What a patch really changes."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Final

from memory_server.domain.memories import UNSET, MemoryPatch
from plugin_kit.models import Memory

NO_CHANGE: Final = MemoryPatch()


def effective_changes(patch: MemoryPatch, memory: Memory) -> MemoryPatch:
    """Return ``patch`` without the fields that ``memory`` already has so."""
    same = {
        field.name: UNSET
        for field in fields(patch)
        if _comparable(getattr(patch, field.name)) == _comparable(getattr(memory, field.name))
    }
    return replace(patch, **same)


def _comparable(value: object) -> object:
    # Python holds 1, 1.0 and True to be equal; in a JSON object they are not the same.
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
