"""The user that a server runs as which refuses to be root, and the command that changes to it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

# One capability opens closed folders; the security bit makes access(2) count it, by which initdb looks for programs.
_PASS_CLOSED_FOLDERS = (
    *("--inh-caps", "+dac_override"),
    *("--ambient-caps", "+dac_override"),
    *("--securebits", "+no_setuid_fixup"),
)


class CannotRunUnprivileged(Exception):
    """No other user can reach the files; the message says what to do."""


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return the user to run as in place of root, or None where this process is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotRunUnprivileged("PostgreSQL does not run as root, and there is no user `nobody`: run as another user")


def unprivileged_prefix(*, program: Path, folder: Path) -> list[str]:
    """Return the words before a command that let it run ``program`` and write in ``folder``, never as root.

    The command also gets SIGINT when its parent dies, where the system offers that.

    Raises:
        CannotRunUnprivileged: no user but root can reach both.
    """
    setpriv = shutil.which("setpriv")
    user = unprivileged_user()
    if user is None:
        return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []
    if setpriv is None:
        raise CannotRunUnprivileged(
            "PostgreSQL does not run as root, and `setpriv` (package util-linux) is not there to change to "
            f"{user.pw_name}: install it, or run as another user"
        )
    change = [setpriv, "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    # A clone under /root is closed to other users.
    for extra in ((), _PASS_CLOSED_FOLDERS):
        prefix = [*change, *extra, "--pdeathsig", "INT", "--"]
        if _reaches(prefix, program, folder):
            return prefix
    raise CannotRunUnprivileged(
        f"PostgreSQL does not run as root, and the user {user.pw_name} cannot reach {program} and {folder}: "
        "move the project and its data to folders that all users may enter, or run as another user"
    )


def _reaches(prefix: Sequence[str], program: Path, folder: Path) -> bool:
    test = [*prefix, "sh", "-c", 'test -x "$0" && test -w "$1"', str(program), str(folder)]
    return subprocess.run(test, capture_output=True, check=False).returncode == 0
