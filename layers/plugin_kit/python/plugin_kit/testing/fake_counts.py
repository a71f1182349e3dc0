"""By what memories are counted."""

from __future__ import annotations

from typing import Final

from plugin_kit.models import Memory

COUNTED: Final = ("day", "born", "project", "memory_type", "session_id")
MAX_GROUPS: Final = 10_000


def key_of(memory: Memory, name: str) -> str | None:
    """Return what ``memory`` is counted under, by ``name``."""
    values = {"project": memory.project, "memory_type": memory.memory_type, "session_id": memory.session_id}
    if name in values:
        return values[name]
    return None if memory.created_at is None else memory.created_at.date().isoformat()
