"""Who runs a PostgreSQL cluster: reads its postmaster.pid, and ends a server whose owner is gone."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_PATIENCE_SECONDS = 20


class ServerWillNotEnd(Exception):
    """A server that was left behind does not end; the message names its process."""


@dataclass(frozen=True, slots=True)
class Status:
    """What postmaster.pid says: the process, and whether it takes connections."""

    pid: int
    ready: bool


def status(cluster: Path) -> Status | None:
    """Return what the cluster's postmaster.pid says, or None where there is none."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return Status(pid=int(lines[0]), ready=len(lines) > 7 and lines[7].strip() == "ready")
    except (FileNotFoundError, ValueError, IndexError):
        return None


def stop_left_behind(cluster: Path) -> None:
    """End the server that still runs the cluster, if one does, and clear what a killed one left.

    Only the caller that holds the folder's lock may do this.

    Raises:
        ServerWillNotEnd: it neither shuts down nor ends at once when told to.
    """
    left = status(cluster)
    if left is None:
        return
    for order in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's words for a fast and an immediate shutdown
        if _ends(left.pid, cluster, order):
            # PostgreSQL itself would take another process of that number, or a zombie, for the server.
            (cluster / "postmaster.pid").unlink(missing_ok=True)
            return
    raise ServerWillNotEnd(f"process {left.pid} runs PostgreSQL in {cluster} and does not end: end it with kill -9")


def _ends(pid: int, cluster: Path, order: signal.Signals) -> bool:
    process = _postmaster(pid, cluster)
    if process is None:
        return True
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(order)
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if _postmaster(pid, cluster) is None:
            return True
        time.sleep(0.05)
    return False


def _postmaster(pid: int, cluster: Path) -> psutil.Process | None:
    """Return process ``pid`` if it is alive and the server of this very cluster."""
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
    # A zombie has no command line, and a backend's is not the postmaster's.
    is_ours = len(command) > 2 and Path(command[0]).name == "postgres" and command[1:3] == ["-D", str(cluster)]
    return process if is_ours else None
