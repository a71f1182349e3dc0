"""All that is wrong with a plugin's folder, found without a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from plugin_kit.errors import InvalidPlugin
from plugin_kit.loader import load
from plugin_kit.manifest import verify


def faults(folder: Path) -> Iterator[str]:
    """Yield the faults of the plugin in ``folder``, each with the fix. Its plugin.py is imported, and so runs."""
    folder = folder.resolve()
    yield from _plugin_faults(folder)
    yield from _module_faults(folder)
    yield from _requirements_faults(folder / "requirements.txt")
    page = folder / "README.md"
    if not page.is_file() or not page.read_text().strip():
        yield "there is no README.md: say what the plugin does, what it stores, and why it needs its permissions"


def _plugin_faults(folder: Path) -> Iterator[str]:
    try:
        verify(folder.name, load(folder.name, folder))
    except InvalidPlugin as error:
        yield from error.faults
        if isinstance(error.__cause__, ModuleNotFoundError):
            yield f"what it requires must be installed here to check it: pip install -r {folder}/requirements.txt"


def _module_faults(folder: Path) -> Iterator[str]:
    """Yield the modules beside plugin.py that hide others: its folder stands first on the path of its function."""
    for path in sorted([*folder.glob("*.py"), *(file.parent for file in folder.glob("*/__init__.py"))]):
        if path.stem in sys.stdlib_module_names | {"plugin_kit"}:
            yield f"{path.name} would hide the module {path.stem!r} from all that imports it: give it another name"


def _requirements_faults(file: Path) -> Iterator[str]:
    if not file.is_file():
        yield "there is no requirements.txt: make one, empty where the plugin requires nothing"
        return
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        requirement = line.partition("#")[0].strip()
        if requirement and not _is_pinned(requirement):
            yield f"requirements.txt, line {number}, is {requirement!r}: pin one version, as in requests==2.31.0"


def _is_pinned(text: str) -> bool:
    try:
        specifiers = list(Requirement(text).specifier)
    except InvalidRequirement:
        return False
    return len(specifiers) == 1 and specifiers[0].operator == "==" and not specifiers[0].version.endswith(".*")
