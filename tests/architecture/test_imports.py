"""Who may import whom. import-linter reads packages; handlers and plugins, which are none, are read here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]
OURS: Final = ("plugin_kit", "memory_server", "memory_api", "functions", "plugins", "infra", "tests")
ENTRY_POINTS_USE: Final = (
    *("memory_server.bootstrap", "memory_server.environment", "memory_server.settings"),
    *("memory_server.services", "memory_server.domain", "memory_api", "plugin_kit"),
)


def test_the_contracts_of_pyproject_are_kept() -> None:
    # In a process of its own: it sets up logging, and silences every logger that is there.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", "pyproject.toml", "--no-logo"]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("functions/*/*.py")), ids=lambda path: path.parent.name)
def test_an_entry_point_goes_through_bootstrap_services_and_domain(path: Path) -> None:
    assert [name for name in _our_imports(path) if not _within(name, ENTRY_POINTS_USE)] == []


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("plugins/*/**/*.py")), ids=lambda path: path.parent.name)
def test_a_plugin_uses_the_kit_alone(path: Path) -> None:
    plugin = f"plugins.{path.relative_to(REPOSITORY / 'plugins').parts[0]}"
    allowed = ("plugin_kit", plugin) if path.name.startswith("test_") else ("plugin_kit",)
    assert [name for name in _our_imports(path) if not _within(name, allowed)] == []


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _our_imports(path: Path) -> Iterator[str]:
    """Yield the modules of the repository that ``path`` imports when it runs."""
    for node in _run(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "memory_server":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name for name in names if _within(name, OURS))


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield ``node`` and all below it, save what stands there for type checkers."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        yield from _run(child)
