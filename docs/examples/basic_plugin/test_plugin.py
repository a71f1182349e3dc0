"""The basic plugin logs new memories and searches."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_kit.loader import load
from plugin_kit.models import Memory, SearchResult
from plugin_kit.testing import fire, make_context

FOLDER = Path(__file__).parent
plugin = load(FOLDER.name, FOLDER)
MEMORY = Memory(id="test123", content="Test content")


@pytest.mark.asyncio
async def test_a_new_memory_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await fire(plugin, "memory_created", MEMORY, context=make_context(plugin_name=FOLDER.name))
    assert "New memory created: test123" in caplog.text


@pytest.mark.asyncio
async def test_a_search_is_logged_with_the_number_of_its_results(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    results = [SearchResult(memory=MEMORY, score=0.9)]
    await fire(plugin, "search_performed", "test", results, context=make_context(plugin_name=FOLDER.name))
    assert "Search performed: test -> 1 results" in caplog.text
