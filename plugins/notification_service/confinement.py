"""Holds code that opens connections of its own, such as Apprise's, to the addresses that are allowed.

Python tells an audit hook of each connection before it is made, with the very address: what a name meant a moment
before, or where a redirect leads, makes no difference. The libraries are trusted not to work around it; their input is
not.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, NoReturn, cast

from .addresses import Network, is_address
from .errors import DeliveryRefused

_CELL: Final = ContextVar["_Cell | None"]("cell", default=None)
_CONNECTIONS: Final = ("socket.connect", "socket.sendto", "socket.sendmsg")
# A new process would be outside, and so would a thread, of which Python 3.11 does not tell.
_ESCAPES: Final = (
    "_thread.start_joinable_thread",
    "_thread.start_new_thread",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "subprocess.Popen",
)
_READABLE: Final = ("/etc/ssl", "/etc/pki", "/etc/mime.types", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom")


class NotAllowed(PermissionError):
    """Code that is confined tried what it may not. It is an OSError: libraries close what they have opened."""


@dataclass(frozen=True, slots=True)
class _Cell:
    network: Network
    refusals: list[str] = field(default_factory=list[str])


@contextmanager
def confined(network: Network) -> Generator[list[str]]:
    """Let this thread, for as long as this lasts, connect to ``network`` alone, start nothing and read no data files.

    What it tries beyond that raises NotAllowed there, and is told in the list that is given: a library may catch it.

    Raises:
        DeliveryRefused: what was tried ended in an error.
    """
    _install()
    cell = _Cell(network)
    token = _CELL.set(cell)
    try:
        yield cell.refusals
    except Exception:
        if cell.refusals:
            raise DeliveryRefused(cell.refusals[0]) from None
        raise
    finally:
        _CELL.reset(token)


@cache
def _install() -> None:
    sys.addaudithook(_audit)  # for good: there is no way to remove one
    # What it says of connections holds paths, which are secrets.
    logging.getLogger("urllib3.connectionpool").addFilter(lambda _: _CELL.get() is None)


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    cell = _CELL.get()
    if cell is None:
        return
    try:
        _check(cell.network, event, arguments)
    except DeliveryRefused as refusal:
        cell.refusals.append(str(refusal))
        raise NotAllowed(str(refusal)) from None


def _check(network: Network, event: str, arguments: tuple[object, ...]) -> None:
    if event in _CONNECTIONS:
        _check_address(network, arguments[-1])
    elif event in _ESCAPES:
        _refuse("the service would start a program or a thread")
    elif event == "open":
        _check_file(arguments[0])


def _check_address(network: Network, address: object) -> None:
    if address is None:  # of a socket that is connected
        return
    if not isinstance(address, tuple):  # a socket of this machine, as of syslog and D-Bus
        _refuse("the service is one of this machine")
    host = str(cast("tuple[object, ...]", address)[0])
    if not is_address(host):
        _refuse("the service leaves it to the socket to resolve a name, which cannot be checked")
    network.check(host)


def _check_file(path: object) -> None:
    if isinstance(path, int):
        return
    text = path.decode() if isinstance(path, bytes) else str(path)
    resolved = str(Path(text).resolve())
    if not any(resolved == root or resolved.startswith(f"{root}/") for root in _readable()):
        _refuse("the service would read or write a file of this machine")


def _readable() -> tuple[str, ...]:
    return (*_READABLE, *(str(Path(entry).resolve()) for entry in (sys.prefix, sys.base_prefix, *sys.path) if entry))


def _refuse(what: str) -> NoReturn:
    raise DeliveryRefused(f"{what}: this is not allowed")
