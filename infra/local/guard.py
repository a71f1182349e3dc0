"""Runs a command, and ends it when the owner goes: ``guard.py SIGNAL COMMAND...``.

The owner holds the other end of the guard's standard input. When that closes, because the owner asked for an end or was
itself killed, the command gets SIGNAL and the guard leaves with it. So nothing that an owner started outlives it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(signal_name: str, command: list[str]) -> int:
    """Run ``command`` until it ends or standard input closes; return its exit code."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:

        def end_with_owner() -> None:
            while os.read(sys.stdin.fileno(), 1024):
                pass
            child.send_signal(signal.Signals[signal_name])

        threading.Thread(target=end_with_owner, daemon=True).start()
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
