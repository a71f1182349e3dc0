"""Functions and layers as zip files, made once for each state of their folders and kept in .build/."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from infra.local.errors import CannotRun
from infra.local.translate import Source

_REPOSITORY: Final = Path(__file__).parents[2]
CACHE: Final = _REPOSITORY / ".build"
_UV: Final = _REPOSITORY / ".venv-uv" / "bin" / "uv"
_PYTHON: Final = _REPOSITORY / ".venv-aws" / "bin" / "python"
_EMULATOR_REQUIREMENTS: Final = Path(__file__).with_name("requirements-aws.txt")
RUNTIME: Final = "python3.11"
"""The Python of .venv-aws, as Lambda names it."""

_RECIPE: Final = b"2"  # another one makes everything anew
_SINCE_EVER: Final = (1980, 1, 1, 0, 0, 0)


def archive_of(source: Source) -> Path:
    """Return the path of the zip of ``source``, whose name changes exactly when what is in it would."""
    digest = hashlib.sha256(_RECIPE + source.kind.encode() + bytes([source.built]))
    for file in _files(source.path):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source.path)}\0{len(content)}\0".encode())
        digest.update(content)
    return CACHE / f"{digest.hexdigest()[:32]}.zip"


def build(source: Source, archive: Path) -> None:
    """Make the ``archive`` of ``source``, with its requirements for the emulator's interpreter, unless it is there.

    Raises:
        CannotRun: a requirement cannot be installed.
    """
    if archive.exists():
        return
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        root = Path(folder) / "root"
        content = root / "python" if source.built and source.kind == "layer" else root
        content.mkdir(parents=True)
        if source.built:
            _install(source.path, content)
            # Each of a function's processes unpacks the zip anew; hashes, unlike times, let it find bytecode valid.
            _run(_PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", content)
        else:
            shutil.copytree(source.path, content, dirs_exist_ok=True)
        unfinished = Path(folder) / "zip"
        _pack(root, unfinished)
        unfinished.rename(archive)


def forget_all_but(names: Collection[str]) -> None:
    """Remove the archives of what functions and layers once were: those that are not called one of ``names``."""
    for archive in CACHE.glob("*.zip"):
        if archive.name not in names:
            archive.unlink(missing_ok=True)


def _install(source: Path, target: Path) -> None:
    """Put what stands in ``source``, and what it requires, into ``target``, as `sam build` would."""
    makefile = source / "Makefile"
    if makefile.exists():
        goal = re.findall(r"^(build-\w+):", makefile.read_text(), re.MULTILINE)[0]
        _run("make", "--silent", "-C", source, goal, f"ARTIFACTS_DIR={target}", f"RUNTIME={RUNTIME}")
        return
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    requirements = target / "requirements.txt"
    if requirements.exists():
        # What the emulator's environment brings, as Lambda's does, need not be unpacked for each process.
        there = set(_EMULATOR_REQUIREMENTS.read_text().splitlines())
        wanted = "\n".join(line for line in requirements.read_text().splitlines() if line not in there)
        _run(_UV, "pip", "install", "--quiet", "--python", _PYTHON, "--target", target, "-r", "-", text=wanted)


def _run(*command: str | Path, text: str = "") -> None:
    environment = {**os.environ, "PATH": f"{_UV.parent}:{os.environ.get('PATH', os.defpath)}"}
    result = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CannotRun(f"{' '.join(map(str, command))} failed:\n{result.stderr.strip() or result.stdout.strip()}")


def _pack(root: Path, archive: Path) -> None:
    """Write the files below ``root`` to ``archive``, uncompressed: it is read far more often than it is stored."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for file in _files(root, compiled=True):
            entry = zipfile.ZipInfo(str(file.relative_to(root)), _SINCE_EVER)
            entry.external_attr = file.stat().st_mode << 16
            packed.writestr(entry, file.read_bytes())


def _files(folder: Path, *, compiled: bool = False) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (compiled or "__pycache__" not in path.parts):
            yield path
