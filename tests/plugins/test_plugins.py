"""What holds for every plugin of this repository, the examples and the one that is copied to make a new one too."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from memory_cli import checks
from plugin_kit.loader import load
from plugin_kit.manifest import verify

REPOSITORY = Path(__file__).parents[2]
PLACES = ("plugins", "docs/examples", "infra/cli/memory_cli")
FOLDERS = sorted(path.parent for place in PLACES for path in (REPOSITORY / place).glob("*/plugin.py"))
every_plugin = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def requirements(folder: Path) -> list[str]:
    return (folder / "requirements.txt").read_text().splitlines()


def absolute_imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module)


@every_plugin
def test_plugin_check_finds_no_fault(folder: Path) -> None:
    assert list(checks.faults(folder)) == []


@every_plugin
def test_its_page_gives_a_reason_for_each_permission(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    permissions = verify(folder.name, load(folder.name, folder)).permissions
    assert [name for name in permissions if not re.search(rf"^\| `{name}` \| \w", page, re.MULTILINE)] == []


@every_plugin
def test_it_imports_the_kit_and_its_own_requirements_alone(folder: Path) -> None:
    own = {re.split(r"[\[=]", line)[0].lower() for line in requirements(folder)}
    distributions = packages_distributions()
    modules = [file for file in folder.rglob("*.py") if not file.name.startswith("test_")]
    imported = {name.partition(".")[0] for file in modules for name in absolute_imports(file)}
    foreign = imported - sys.stdlib_module_names - {"plugin_kit"}
    assert [name for name in foreign if not own & {found.lower() for found in distributions.get(name, [])}] == []
