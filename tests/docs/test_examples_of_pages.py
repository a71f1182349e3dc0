"""What a page shows is so: its plugins are plugins, its tests pass, its commands are commands."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from memory_cli.main import main
from plugin_kit.loader import load
from plugin_kit.manifest import verify
from plugin_kit.testing.settings import PluginSettings
from tests.docs.pages import HOOKS, PLUGIN_PAGES, REPOSITORY, TESTING, Block, blocks

every_page = pytest.mark.parametrize("page", PLUGIN_PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


def files(page: Path) -> list[Block]:
    return [block for block in blocks(page, "python", "yaml") if block.file is not None]


@pytest.fixture
def project(page: Path, tmp_path: Path) -> Path:
    """The files that the page shows, as a project of their own."""
    for block in files(page):
        file = tmp_path / str(block.file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
    return tmp_path


@every_page
def test_every_block_of_python_says_which_file_it_is(page: Path) -> None:
    assert [block.text for block in blocks(page, "python") if block.file is None] == []


@every_page
def test_the_plugins_of_a_page_are_such_as_the_server_would_take(page: Path, project: Path) -> None:
    shown = [block for block in files(page) if str(block.file).endswith("/plugin.py")]
    for block in shown:
        folder = (project / str(block.file)).parent
        assert verify(folder.name, load(folder.name, folder)).plugin_id == folder.name


@pytest.mark.parametrize("page", [TESTING], ids=["testing.md"])
def test_the_tests_of_a_page_pass(project: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    ]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@every_page
def test_the_commands_of_a_page_are_commands(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugins" / "my_plugin").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "bash"):
        for command in block.commands:
            words = shlex.split(command)
            if words[0] == "memory-server":
                parse(words[1:])


@every_page
def test_the_data_of_a_page_can_be_read(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block.text)
    for block in blocks(page, "yaml"):
        if block.file == "config/settings.yaml":
            assert PluginSettings.of(yaml.safe_load(block.text)).plugins


def test_every_test_that_a_page_shows_is_run() -> None:
    shown = {page for page in PLUGIN_PAGES for block in files(page) if str(block.file).startswith("tests/")}
    assert shown == {TESTING}


def test_every_page_but_the_reference_of_hooks_shows_files() -> None:
    assert {page for page in PLUGIN_PAGES if not files(page)} == {HOOKS}


def parse(words: list[str]) -> None:
    """Parse a call of the command line without running it.

    Raises:
        click.ClickException: there is no such command, argument or option.
    """
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    command.make_context(command.name, words, parent=context)
