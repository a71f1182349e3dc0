"""Functions and layers as zip files, made once for each state of their folders and kept in .build/."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.local.translate import Source

_REPOSITORY: Final = Path(__file__).parents[2]
_CACHE: Final = _REPOSITORY / ".build"
_UV: Final = _REPOSITORY / ".venv-uv" / "bin" / "uv"
_PYTHON: Final = _REPOSITORY / ".venv-aws" / "bin" / "python"
_RECIPE: Final = b"1"  # another one makes everything anew
_SINCE_EVER: Final = (1980, 1, 1, 0, 0, 0)


class BuildFailed(Exception):
    """A function or layer cannot be built; the message is the installer's."""


def archive_of(source: Source) -> Path:
    """Return the path of the zip of ``source``, whose name changes exactly when what is in it would."""
    digest = hashlib.sha256(_RECIPE + source.kind.encode() + bytes([source.built]))
    for file in _files(source.path):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source.path)}\0{len(content)}\0".encode())
        digest.update(content)
    return _CACHE / f"{digest.hexdigest()[:32]}.zip"


def build(source: Source, archive: Path) -> None:
    """Make the ``archive`` of ``source``, with its requirements for the emulator's interpreter, unless it is there.

    Raises:
        BuildFailed: a requirement cannot be installed.
    """
    if archive.exists():
        return
    _CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        root = Path(folder) / "root"
        content = root / "python" if source.built and source.kind == "layer" else root
        shutil.copytree(source.path, content, ignore=shutil.ignore_patterns("__pycache__"))
        if source.built:
            _install(content)
        unfinished = Path(folder) / "zip"
        _pack(root, unfinished)
        unfinished.rename(archive)


def _install(folder: Path) -> None:
    requirements = folder / "requirements.txt"
    if requirements.exists():
        _run(_UV, "pip", "install", "--quiet", "--python", _PYTHON, "--target", folder, "-r", requirements)
    # Each of a function's processes unpacks the zip anew; hashes, unlike times, let it find this bytecode valid.
    _run(_PYTHON, "-m", "compileall", "-q", "-j0", "--invalidation-mode", "unchecked-hash", folder)


def _run(*command: str | Path) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BuildFailed(f"{' '.join(map(str, command))} failed:\n{result.stderr.strip() or result.stdout.strip()}")


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
