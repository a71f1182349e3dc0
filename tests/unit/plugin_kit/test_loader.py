"""A plugin is imported from its folder, and what stops it is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from plugin_kit.errors import InvalidPlugin
from plugin_kit.loader import load


def folder(tmp_path: Path, source: str) -> Path:
    (tmp_path / "plugin.py").write_text(source)
    return tmp_path


def test_the_plugin_of_a_folder_is_imported(tmp_path: Path) -> None:
    assert load("my_plugin", folder(tmp_path, "ANSWER = 42")).ANSWER == 42


def test_the_plugin_on_the_path_is_imported_where_no_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(folder(tmp_path, "ANSWER = 42")), *sys.path])
    loaded = load("my_plugin")
    del sys.modules[loaded.__name__]
    assert loaded.ANSWER == 42


def test_a_plugin_may_define_dataclasses(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass Day:\n    n: int\n"
    )
    assert load("my_plugin", folder(tmp_path, source)).Day(1).n == 1


def test_modules_beside_the_plugin_are_imported_relatively(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "deep.py").write_text("from ..shallow import ANSWER")
    (tmp_path / "shallow.py").write_text("ANSWER = 42")
    source = "from .parts.deep import ANSWER\ndef late():\n    from . import shallow\n    return shallow.ANSWER"
    loaded = load("my_plugin", folder(tmp_path, source))
    assert (loaded.ANSWER, loaded.late()) == (42, 42)


def test_modules_beside_the_plugin_on_the_path_are_imported_relatively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rules.py").write_text("ANSWER = 42")
    monkeypatch.setattr(sys, "path", [str(folder(tmp_path, "from .rules import ANSWER")), *sys.path])
    loaded = load("my_plugin")
    del sys.modules[loaded.__name__]
    assert loaded.ANSWER == 42


def test_a_plugin_that_is_loaded_again_gets_its_modules_as_they_are_now(tmp_path: Path) -> None:
    for name, answer in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.py").write_text(f"ANSWER = {answer}")
        assert answer == load("my_plugin", folder(tmp_path / name, "from .rules import ANSWER")).ANSWER


def test_a_folder_without_a_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidPlugin, match=re.escape(f"there is no plugin.py in {tmp_path}")):
        load("my_plugin", tmp_path)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import not_installed.part", "add the package that brings 'not_installed' to requirements.txt"),
        ("1 / 0", "plugin.py cannot be imported: ZeroDivisionError: division by zero"),
        ("async def (", "plugin.py cannot be imported: SyntaxError"),
        ("raise SystemExit(3)", "plugin.py cannot be imported: SystemExit: 3"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_refused_with_the_cause(tmp_path: Path, source: str, fault: str) -> None:
    with pytest.raises(InvalidPlugin, match=re.escape(fault)):
        load("my_plugin", folder(tmp_path, source))
