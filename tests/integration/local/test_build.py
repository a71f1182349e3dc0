"""What functions and layers are built into."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local import build
from infra.local.errors import CannotRun
from infra.local.translate import Source


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "CACHE", tmp_path)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "greeting.py").write_text("TEXT = 'hello'\n")
    return folder


def package(source: Source) -> zipfile.ZipFile:
    folder = build.folder_of(source)
    build.build(source, folder)
    return zipfile.ZipFile(io.BytesIO(build.package(source, folder)))


def test_a_change_of_the_code_changes_the_folder_and_a_compiled_file_does_not(code: Path) -> None:
    source = Source(code, "function", built=True)
    first = build.folder_of(source)
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "greeting.pyc").write_bytes(b"compiled")
    assert build.folder_of(source) == first

    (code / "greeting.py").write_text("TEXT = 'good morning'\n")
    assert build.folder_of(source) != first


def test_a_functions_package_holds_its_code(code: Path) -> None:
    assert package(Source(code, "function", built=True)).read("greeting.py") == b"TEXT = 'hello'\n"


def test_starts_at_once_may_build_the_same(code: Path) -> None:
    source = Source(code, "function", built=True)
    folder = build.folder_of(source)

    with ThreadPoolExecutor(max_workers=4) as starts:
        for start in [starts.submit(build.build, source, folder) for _ in range(4)]:
            start.result()

    assert (folder / "greeting.py").read_text() == "TEXT = 'hello'\n"


def test_a_layers_package_brings_its_modules_before_those_of_the_environment(code: Path, tmp_path: Path) -> None:
    (code / "json.py").write_text("TEXT = 'of the layer'\n")
    package(Source(code, "layer", built=True)).extractall(tmp_path / "layer")
    sites = tmp_path / "layer" / "python" / "lib" / build.RUNTIME / "site-packages"

    program = f"import site; site.addsitedir({str(sites)!r}); import greeting, json; print(greeting.TEXT, json.TEXT)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout == "hello of the layer\n"


def test_a_requirement_that_cannot_be_installed_is_named(code: Path) -> None:
    (code / "requirements.txt").write_text("this is not a requirement\n")

    with pytest.raises(CannotRun, match="this is not a requirement"):
        package(Source(code, "function", built=True))
