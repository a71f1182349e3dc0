"""What a patch really changes."""

from __future__ import annotations

import pytest

from memory_server.domain.changes import NO_CHANGE, effective_changes
from memory_server.domain.memories import MemoryPatch
from plugin_kit.json_types import JsonObject
from plugin_kit.models import Memory

MEMORY = Memory(id="1", content="a", project="p", tags=("x", "y"), metadata={"n": 1, "m": {"k": [1, 2]}})


def test_a_field_that_the_memory_has_already_is_left_out() -> None:
    patch = MemoryPatch(content="a", project=None, tags=("x", "y"), importance=0.5)

    assert effective_changes(patch, MEMORY) == MemoryPatch(project=None)


def test_a_patch_of_what_is_there_changes_nothing() -> None:
    same: JsonObject = {"m": {"k": [1, 2]}, "n": 1}

    assert effective_changes(MemoryPatch(metadata=same, session_id=None), MEMORY) == NO_CHANGE


@pytest.mark.parametrize("metadata", [{"n": True, "m": {"k": [1, 2]}}, {"n": 1, "m": {"k": [2, 1]}}, {}])
def test_metadata_is_compared_as_json_has_it(metadata: JsonObject) -> None:
    assert effective_changes(MemoryPatch(metadata=metadata), MEMORY) == MemoryPatch(metadata=metadata)


def test_the_order_of_tags_is_a_change() -> None:
    assert effective_changes(MemoryPatch(tags=("y", "x")), MEMORY) == MemoryPatch(tags=("y", "x"))
