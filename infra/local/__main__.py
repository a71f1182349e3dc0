"""``python -m infra.local up``: the command behind ``make run``."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Final

from infra.local.api import Door
from infra.local.data_folder import DataFolder
from infra.local.errors import CannotRun
from infra.local.machine import Machine
from infra.local.model import MODEL
from infra.local.postgres import PostgresDidNotStart
from infra.local.postmaster import ServerWillNotEnd
from infra.local.probe import HOST
from infra.local.progress import steps
from infra.local.settings import load
from infra.local.unprivileged import CannotRunUnprivileged

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PORT_SECONDS: Final = 2.0


_EXPLAINED: Final = (CannotRun, CannotRunUnprivileged, OSError, PostgresDidNotStart, ServerWillNotEnd)
"""Errors whose message is all that a person needs."""


def main() -> int:
    """Run the stack until it is told to stop; return the exit code."""
    arguments = _parser().parse_args()
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns that nobody collects its metrics
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        door = Door(host=arguments.host, port=arguments.port, sign_in=arguments.sign_in == "required")
        _up(door, arguments.data_dir, arguments.settings)
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
        return 0
    except _EXPLAINED as error:
        print(f"\nThe server does not run: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="The memory server on this machine, with no AWS account and no Docker.",
        epilog="`make run PORT=8001 DATA_DIR=/tmp/memories SETTINGS=my.yaml` installs what is needed, then calls `up`.",
    )
    commands = parser.add_subparsers(required=True, metavar="up")
    up = commands.add_parser(
        "up",
        help="start the stack and stay in the foreground",
        description="Starts PostgreSQL, the AWS emulator with the stack of template.yaml, and the API. Ctrl-C ends it. "
        "The data folder keeps what must be kept, whatever ends the processes: start again with the same folder.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    up.add_argument("--port", type=int, default=8000, help="where the API answers")
    up.add_argument("--host", default=HOST, help="the address that it answers at; another needs --sign-in required")
    up.add_argument(
        "--sign-in", choices=["off", "required"], default="off", help="off: everyone on this machine is one user"
    )
    up.add_argument("--data-dir", type=Path, default=Path(".data"), help="memories, plugins' state, objects and logs")
    up.add_argument(
        "--settings", type=Path, default=Path("config/settings.yaml"), help="which plugins there are, and limits"
    )
    return parser


def _up(door: Door, data_dir: Path, settings_file: Path) -> None:
    settings = load(settings_file)
    if not MODEL.exists():
        raise CannotRun(f"the embedding model is not in {MODEL}: `make model` puts it there")
    with DataFolder(data_dir) as folder, Machine(folder, door, settings) as machine:
        try:
            _check_port(door)
            with steps() as tell:
                failed = machine.start(tell)
            for name, fault in failed.items():
                print(f"\nThe plugin {name} is not there: {fault}", file=sys.stderr, flush=True)
            _greet(door, folder, machine.first_key)
            machine.watch()
        finally:
            for number in _STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)  # stopping takes a moment, and is done once
            print("\nStopping ...", flush=True)


def _check_port(door: Door) -> None:
    """Wait a moment for the port of an instance that was just killed."""
    until = time.monotonic() + _PORT_SECONDS
    while True:
        try:
            socket.create_server((door.host, door.port)).close()
        except OSError as error:
            if time.monotonic() > until:
                raise CannotRun(
                    f"port {door.port} cannot be used ({error.strerror}): choose another, as in `make run PORT=8001`"
                ) from None
            time.sleep(0.1)
        else:
            return


def _greet(door: Door, folder: DataFolder, first_key: str | None) -> None:
    url = door.url
    key = ' -H "authorization: Bearer $MEMORY_SERVER_KEY"' if door.sign_in else ""
    json_body = "-H 'content-type: application/json' -d"
    if first_key is not None:
        print(
            f"""
This is the first API key. It may do everything, and it is shown this once:

  export MEMORY_SERVER_KEY={first_key}""",
            flush=True,
        )
    print(
        f"""
The memory server answers at {url}; its reference is at {url}/docs. Try:

  curl -s {url}/memories{key} {json_body} '{{"content": "The deploy key is in the vault."}}'
  curl -s {url}/memories/search{key} {json_body} '{{"query": "Where is the deploy key?"}}'

Memories and logs are in {folder.root}. Ctrl-C stops the server.""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
