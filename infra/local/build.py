"""Functions and layers, built once for each state of their folders and kept in .build/."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.local.errors import CannotRun
from infra.local.sandbox import LAYER_FOLDER
from infra.local.translate import Source

_REPOSITORY: Final = Path(__file__).parents[2]
CACHE: Final = _REPOSITORY / ".build"
_UV: Final = _REPOSITORY / ".venv-uv" / "bin" / "uv"
_PYTHON: Final = _REPOSITORY / ".venv-aws" / "bin" / "python"
_EMULATOR_REQUIREMENTS: Final = Path(__file__).with_name("requirements-aws.txt")
RUNTIME: Final = "python3.11"
"""The Python of .venv-aws, as Lambda names it."""

_KEEP_SECONDS: Final = 14 * 24 * 3600
_RECIPE: Final = b"4"  # another one makes everything anew
_SINCE_EVER: Final = (1980, 1, 1, 0, 0, 0)


def folder_of(source: Source) -> Path:
    """Return where ``source`` is built, in a folder whose name changes exactly when what is in it would.

    What is not built is taken as it stands.
    """
    if not source.built:
        return source.path
    digest = hashlib.sha256(_RECIPE + str(CACHE).encode() + source.kind.encode())
    for file in _files(source.path):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source.path)}\0{len(content)}\0".encode())
        digest.update(content)
    return CACHE / digest.hexdigest()[:32]


def build(source: Source, folder: Path) -> None:
    """Build ``source`` in ``folder``, with its requirements for the emulator's interpreter, unless that is done.

    Raises:
        CannotRun: a requirement cannot be installed.
    """
    if not source.built:
        return
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            unfinished = Path(scratch) / "unfinished"
            unfinished.mkdir()
            _install(source.path, unfinished)
            # Hashes, unlike times, let a function find its bytecode valid wherever it is unpacked.
            _run(_PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", unfinished)
            _move(unfinished, folder)
    os.utime(folder)


def _move(unfinished: Path, folder: Path) -> None:
    """Let what was built be in its folder, unless another start was quicker."""
    try:
        unfinished.rename(folder)
    except OSError as error:
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:  # file systems differ in which
            raise


def package(source: Source, folder: Path) -> bytes:
    """Return the zip of ``source``, which was built in ``folder``.

    A layer's zip leads to the folder: else the emulator would unpack thousands of files for each process it starts.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as packed:
        if source.kind == "layer":
            line = f"import sys; sys.path.insert(0, {str(folder)!r})"
            packed.writestr(zipfile.ZipInfo(f"python/lib/{RUNTIME}/site-packages/layer.pth", _SINCE_EVER), line)
            packed.writestr(zipfile.ZipInfo(LAYER_FOLDER, _SINCE_EVER), str(folder))
        else:
            for file in _files(folder, compiled=True):
                entry = zipfile.ZipInfo(str(file.relative_to(folder)), _SINCE_EVER)
                entry.external_attr = file.stat().st_mode << 16
                packed.writestr(entry, file.read_bytes())
    return content.getvalue()


def forget_old() -> None:
    """Remove what was not asked for in a while: what functions and layers once were."""
    for folder in CACHE.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another start builds, or forgets too
            if time.time() - folder.stat().st_mtime > _KEEP_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


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
        # The emulator's environment brings boto3, as Lambda's does.
        there = set(_EMULATOR_REQUIREMENTS.read_text().splitlines())
        wanted = "\n".join(line for line in requirements.read_text().splitlines() if line not in there)
        _run(_UV, "pip", "install", "--quiet", "--python", _PYTHON, "--target", target, "-r", "-", text=wanted)


def _run(*command: str | Path, text: str = "") -> None:
    environment = {**os.environ, "PATH": f"{_UV.parent}:{os.environ.get('PATH', os.defpath)}"}
    result = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CannotRun(f"{' '.join(map(str, command))} failed:\n{result.stderr.strip() or result.stdout.strip()}")


def _files(folder: Path, *, compiled: bool = False) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (compiled or "__pycache__" not in path.parts):
            yield path
