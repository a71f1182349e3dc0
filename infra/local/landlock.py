"""Linux's Landlock, by which a process gives up rights for itself and for all that it starts.

This runs inside the emulator's process and those of functions, so it uses the standard library alone.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, Self

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_PR_SET_NO_NEW_PRIVS: Final = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ: Final = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
# What the kernels of each version can take away, from the first one on.
_FILE_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_CONNECT: Final = 1 << 1
_NETWORK_VERSION: Final = 4
_SCOPES: Final = 3  # abstract sockets, and signals, of processes with more rights
_SCOPES_VERSION: Final = 6
_PATH_RULE: Final = 1
_PORT_RULE: Final = 2


def version() -> int:
    """Return the version of Landlock that the kernel offers, 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, _system_call(_CREATE_RULESET, None, 0, 1))


def confine(*, readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """Let this process reach these files and folders, and no others. Those that are not there are left out.

    It cannot send signals to processes with more rights either, where the kernel knows of that.

    Raises:
        OSError: the kernel has no Landlock.
    """
    offered = version()
    rights = max((rights for since, rights in _FILE_RIGHTS.items() if since <= offered), default=0)
    with _Ruleset(files=rights, scopes=_SCOPES if offered >= _SCOPES_VERSION else 0) as rules:
        for path in readable:
            rules.allow_path(path, _READ)
        for path in writable:
            rules.allow_path(path, rights)
        rules.enforce()


def keep_from_ports(ports: Collection[int]) -> bool:
    """Let this thread, and what it starts, open no TCP connection to ``ports``; return whether the kernel can do that.

    The kernel is told what is allowed, so this takes a moment.
    """
    if version() < _NETWORK_VERSION:
        return False
    with _Ruleset(network=_CONNECT) as rules:
        for port in range(1 << 16):
            if port not in ports:
                rules.allow_port(port, _CONNECT)
        rules.enforce()
    return True


class _Ruleset:
    """What is allowed of the kinds of rights that it takes away."""

    def __init__(self, *, files: int = 0, network: int = 0, scopes: int = 0) -> None:
        self._files = files
        attributes = struct.pack("QQQ", files, network, scopes)
        # An older kernel knows the first ones only, and takes more if they are zero.
        self._descriptor = _checked(_system_call(_CREATE_RULESET, attributes, len(attributes), 0))
        self._port_rule = struct.Struct("QQ")
        self._buffer = ctypes.create_string_buffer(self._port_rule.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def allow_path(self, path: Path, rights: int) -> None:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            usable = self._files if path.is_dir() else self._files & _OF_FILES
            rule = struct.pack("=Qi", rights & usable, descriptor)
            _checked(_system_call(_ADD_RULE, self._descriptor, _PATH_RULE, rule, 0))
        finally:
            os.close(descriptor)

    def allow_port(self, port: int, rights: int) -> None:
        self._port_rule.pack_into(self._buffer, 0, rights, port)
        _checked(_system_call(_ADD_RULE, self._descriptor, _PORT_RULE, self._buffer, 0))

    def enforce(self) -> None:
        """Take the rights away from this thread and what it starts, for good."""
        _checked(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(_system_call(_RESTRICT_SELF, self._descriptor, 0))


# Its calls do not wait, so they keep the interpreter: to get it back takes longer where other threads want it.
_LIBC: Final = ctypes.PyDLL(None, use_errno=True)
_system_call: Final = _LIBC.syscall


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result
