"""The plugin does what its page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin_kit.loader import load
from plugin_kit.models import Memory
from plugin_kit.testing import fire, make_context

FOLDER = Path(__file__).parent
plugin = load(FOLDER.name, FOLDER)


@pytest.mark.asyncio
async def test_a_new_memory_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    memory = Memory(id="test123", content="Test content")
    await fire(plugin, "memory_created", memory, context=make_context(plugin_name=FOLDER.name))
    assert "New memory created: test123" in caplog.text
