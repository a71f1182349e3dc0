"""What a child process does when its owner is gone: it leaves at once, with all that it started."""

from __future__ import annotations

import os
import signal
import sys
import threading


def leave_with_owner() -> None:
    """End this process's group as soon as standard input closes, which even a SIGKILL of the owner does.

    The process must lead a group of its own, so that the signal reaches its children and nobody else.
    """
    threading.Thread(target=_wait, name="owner", daemon=True).start()


def _wait() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.killpg(0, signal.SIGKILL)
