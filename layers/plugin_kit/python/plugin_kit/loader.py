"""Finds a plugin's plugin.py and imports it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

from plugin_kit.errors import InvalidPlugin

_MODULE: Final = "plugin"


def load(plugin_id: str, folder: Path | None = None) -> ModuleType:
    """Import ``plugin.py`` of ``folder``, or the module ``plugin`` of sys.path, where a plugin's layer puts it.

    It is imported as a package whose modules stand beside it: ``from .rules import Rule`` reads rules.py.

    Raises:
        InvalidPlugin: there is no plugin.py, or importing it raises; the message names what is missing.
    """
    spec = _spec(plugin_id, folder)
    if spec is None or spec.loader is None:
        where = "on sys.path" if folder is None else f"in {folder}"
        raise InvalidPlugin(plugin_id, [f"there is no plugin.py {where}: put it at the top of the plugin's folder"])
    spec.submodule_search_locations = [str(Path(str(spec.origin)).parent)]
    module = importlib.util.module_from_spec(spec)
    _forget(spec.name)
    # A dataclass of the plugin's looks its module up here while it is being defined.
    sys.modules[spec.name] = module
    try:
        with _exits_raised():
            spec.loader.exec_module(module)
    except BaseException as error:  # a plugin's SystemExit must not end the host
        _forget(spec.name)
        raise InvalidPlugin(plugin_id, [_fault(error)]) from error
    return module


@contextmanager
def _exits_raised() -> Generator[None]:
    """Let what ends a process without a word say who called it, for as long as this lasts."""
    originals = {name: getattr(os, name) for name in ("_exit", "abort")}
    process = os.getpid()

    def raise_instead(name: str, *arguments: object) -> object:
        if os.getpid() != process:  # a child of the plugin's own ends as it likes
            return originals[name](*arguments)
        raise SystemExit(f"os.{name}({', '.join(map(str, arguments))})")

    for name in originals:
        setattr(os, name, partial(raise_instead, name))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


def _forget(package: str) -> None:
    """Let what is imported next be read from its file, not be taken from an earlier load."""
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def _spec(plugin_id: str, folder: Path | None) -> ModuleSpec | None:
    if folder is None:
        return importlib.util.find_spec(_MODULE)
    path = folder / "plugin.py"
    return importlib.util.spec_from_file_location(f"{_MODULE}_{plugin_id}", path) if path.is_file() else None


def _fault(error: BaseException) -> str:
    cause = f"plugin.py cannot be imported: {type(error).__name__}: {error}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return f"{cause}: add the package that brings {package!r} to requirements.txt"
    return cause
