"""The processes of functions, started by ministack: those of plugins in a sandbox, none with more than it needs.

This runs inside the emulator's process. ministack has no public door for it, so the names that are hooked are those of
the version that requirements-aws.txt pins.
"""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Final, Literal, TypedDict, Unpack

from infra.local import landlock
from infra.local.aws_streams import bound

_LAUNCH: Final = (
    "import sys; sys.path.append(sys.argv[1]); from infra.local import sandbox; sandbox.enter(*sys.argv[1:])"
)
_REPOSITORY: Final = Path(__file__).parents[2]
_PLUGIN: Final = "-plugin-"
"""What the names of plugins' functions have in common: see infra/plugin.yaml."""

logger = logging.getLogger(__name__)


class Options(TypedDict):
    """What ministack starts a process with, as far as it matters here."""

    env: dict[str, str]
    text: Literal[True]


def sandbox_plugins(closed_ports: frozenset[int]) -> None:
    """Start the processes of plugins restricted, and unable to connect to ``closed_ports`` of any machine."""
    if sys.platform != "linux":
        logger.warning("plugins can read this machine's files: only Linux has a sandbox for them")
        return
    if landlock.version() == 0:
        logger.warning("plugins can read this machine's files: the kernel has no Landlock (Linux 5.13, if enabled)")
    runtime = vars(importlib.import_module("ministack.core.lambda_runtime"))
    runtime["subprocess"] = SimpleNamespace(**{**vars(subprocess), "Popen": _Starter(closed_ports).start})


class _Starter:
    """Starts processes. Those of plugins from one thread, which has given up rights that they inherit.

    The thread lives as long as the emulator: the kernel ends a sandboxed process when the thread that started it ends.
    """

    def __init__(self, closed_ports: frozenset[int]) -> None:
        self._thread = ThreadPoolExecutor(1, "plugins", initializer=_close, initargs=(closed_ports,))
        self._thread.submit(int)  # it takes a moment to be ready: now, and not when the first event waits

    def start(self, command: list[str], **options: Unpack[Options]) -> subprocess.Popen[str]:
        if _PLUGIN not in options["env"].get("AWS_LAMBDA_FUNCTION_NAME", ""):
            return subprocess.Popen(command, **options)
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(_REPOSITORY), *command]
        process = self._thread.submit(subprocess.Popen[str], launcher, **options).result()
        bound(process)
        return process


def _close(ports: frozenset[int]) -> None:
    if not landlock.keep_from_ports(ports):
        logger.warning("plugins can connect to the server's own ports: the kernel's Landlock is too old (Linux 6.7)")
