"""What a plugin's process may do on one machine, as much like AWS Lambda as the machine allows.

``enter`` replaces the process with the function's own, which reads Python and its own code, writes to a temporary
folder of its own, has the memory that its template gives it, and is the first to go when the machine has none left.

This runs in the interpreter of functions, so it uses the standard library alone.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.local import landlock

_MEGABYTE: Final = 1024 * 1024
# Lambda counts the pages that are used, the limit here those that could be: stacks of threads, and what malloc keeps.
_HEADROOM_MEGABYTES: Final = 128
_TEMPORARY_BYTES: Final = 512 * _MEGABYTE  # what Lambda gives /tmp; here it holds for each file
_FILES: Final = 1024  # as in Lambda
_READABLE: Final = (
    *("/usr", "/lib", "/lib64", "/bin", "/etc/ssl", "/etc/pki", "/etc/ca-certificates"),
    *(
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/etc/passwd",
        "/etc/group",
    ),
    *("/etc/localtime", "/etc/mime.types", "/etc/ld.so.cache"),
    *("/dev/urandom", "/dev/random", "/dev/zero", "/proc/self", "/proc/cpuinfo", "/proc/meminfo"),
    *("/sys/devices/system/cpu", "/sys/fs/cgroup"),
)
_OF_THE_EMULATOR: Final = {
    *("AUTH", "BIND_HOST", "DOCKER_HOST", "GATEWAY_PORT", "IOT_MTLS_ENABLED", "MINISTACK_HOST", "MINISTACK_REGION"),
    *("S3_DATA_DIR", "S3_PERSIST", "SFTP_ENABLED"),
}
_PR_SET_PDEATHSIG: Final = 1
_PR_CAPBSET_DROP: Final = 24
_FILE_CAPABILITIES: Final = {1, 2}  # whose files may be read: Landlock says which
LAYER_FOLDER: Final = "folder"
"""The file of a layer that says where it was unpacked."""


def enter(repository: str, *command: str) -> None:
    """Become ``command``, the Python and the script of a function, restricted. Returns only by raising.

    The script stands in the folder that has been made for this process; ``repository`` is not needed beyond this.
    """
    sys.path.remove(repository)
    home = Path(command[1]).parent
    temporary = home / "tmp"
    temporary.mkdir(mode=0o700)
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_EMULATOR}
    environment |= {
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    readable = [home, *_python(), *_layers(home), *map(Path, _READABLE)]
    Path("/proc/self/oom_score_adj").write_text("1000")
    _limit(int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]))
    if os.geteuid() == 0:
        _leave_root(home, readable)
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)  # the emulator's death; another user's id would have undone it
    try:
        landlock.confine(readable=readable, writable=[temporary, Path("/dev/null")])
    except OSError as error:
        print(f"this function can read the machine's files: {error}", file=sys.stderr)  # its log
    os.execve(command[0], command, environment)  # noqa: S606  # this is no shell


def _python() -> Iterator[Path]:
    """Yield where this interpreter is and its packages: its environment, and the installation behind that."""
    yield Path(sys.executable).parents[1]
    yield Path(sys.base_prefix)


def _layers(home: Path) -> Iterator[Path]:
    """Yield where the layers are that have been unpacked in ``home`` and only say where they stand."""
    for file in home.glob(f"layer_*/{LAYER_FOLDER}"):
        yield Path(file.read_text())


def _limit(memory_megabytes: int) -> None:
    for what, limit in (
        (resource.RLIMIT_DATA, (memory_megabytes + _HEADROOM_MEGABYTES) * _MEGABYTE),
        (resource.RLIMIT_FSIZE, _TEMPORARY_BYTES),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def _leave_root(home: Path, readable: list[Path]) -> None:
    """Become a user with no rights where that one can read what it needs; else root with no right but to files."""
    nobody = pwd.getpwnam("nobody")
    there = [path for path in readable if path.exists()]  # asked as root: who may not enter a folder, may not ask
    os.seteuid(nobody.pw_uid)
    enough = all(os.access(path, os.R_OK, effective_ids=True) for path in there)
    os.seteuid(0)
    if enough:
        for path in (home, *home.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        os.setgroups([])
        os.setresgid(nobody.pw_gid, nobody.pw_gid, nobody.pw_gid)
        os.setresuid(nobody.pw_uid, nobody.pw_uid, nobody.pw_uid)
        return
    for capability in set(range(64)) - _FILE_CAPABILITIES:
        _control(_PR_CAPBSET_DROP, capability)


def _control(option: int, value: int) -> None:
    """Set an attribute of this process; a kernel that does not know it goes without."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
