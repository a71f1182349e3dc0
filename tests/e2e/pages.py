"""The commands that a page shows, run as its reader would."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.e2e.stack import REPOSITORY, Stack


def commands(page: str) -> list[str]:
    """Return the blocks of bash of ``page``, a path in the repository."""
    return re.findall(r"^```bash\n(.*?)^```$", (REPOSITORY / page).read_text(), re.DOTALL | re.MULTILINE)


def run(block: str, stack: Stack, folder: Path, **variables: str) -> str:
    """Return what ``block`` prints; any command of it that fails, or an answer that is an error, fails the test."""
    command = re.sub(r"\bcurl\b", "curl --fail-with-body", block.replace("localhost:8000", f"127.0.0.1:{stack.port}"))
    ran = subprocess.run(
        ["bash", "-ec", command],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={**os.environ, **variables},
        check=False,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout
