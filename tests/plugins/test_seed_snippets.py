"""The tests that the specification shows run as they are written there, on a plugin made by ``plugin new``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from memory_cli.main import main

# What a test module needs besides what it shows: the names that it takes for granted.
GIVEN = """\
import pytest
from unittest.mock import Mock
from plugin_kit.models import Memory
from plugin_kit.testing import PluginService

mock_logger = Mock()
settings = "config/settings.yaml"
"""

UNIT_TEST = """\
# tests/unit/test_my_plugin.py
import pytest
from plugins.my_plugin.plugin import memory_created

@pytest.mark.asyncio
async def test_memory_created():
    # Create test memory
    memory = Memory(id="test123", content="Test content")
    context = {"logger": mock_logger}

    # Test hook
    await memory_created(memory, context)

    # Assert expected behavior
    assert mock_logger.info.called
"""

INTEGRATION_TEST = """\
# tests/integration/test_plugin_system.py
@pytest.mark.asyncio
async def test_plugin_loading():
    # Test plugin loading
    plugin_service = PluginService(settings)
    await plugin_service.initialize()

    # Verify plugin is loaded
    assert "my_plugin" in plugin_service.loaded_plugins
"""

SETTINGS = """\
# config/settings.yaml
plugins:
  enabled: true
  auto_load: true
  plugins:
    - "my_plugin"
"""


def test_both_tests_of_the_specification_and_that_of_a_new_plugin_pass(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["plugin", "new", "my_plugin", "--folder", str(tmp_path / "plugins")])
    assert made.exit_code == 0, made.output
    for text in (GIVEN + UNIT_TEST, GIVEN + INTEGRATION_TEST, SETTINGS):
        file = tmp_path / next(line for line in text.splitlines() if line.startswith("# "))[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, "-o", "asyncio_default_fixture_loop_scope=function"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "3 passed" in result.stdout
