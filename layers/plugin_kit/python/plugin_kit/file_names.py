"""Where a plugin's files are: the names that it may give, and the key of each in the bucket."""

from __future__ import annotations

import re
from typing import Final

from plugin_kit.erasures import digest_of

TRANSFERS: Final = "transfers/"
"""How the names of files begin that the bucket deletes after a day."""

_FILES: Final = "files/"
FOLDERS: Final = (_FILES, TRANSFERS)
"""How the keys of all files begin; the id of the plugin follows."""

_NOBODY: Final = "nobody"  # no digest
_NAME: Final = re.compile(r"[A-Za-z0-9._-][A-Za-z0-9._/-]{0,511}")


def key_of(plugin_id: str, user_id: str | None, name: str) -> str:
    """Return the key of the file ``name`` that the plugin has for the user; None is for what is of no user.

    Raises:
        ValueError: a file cannot have this name.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError(
            f"{name[:100]!r} is no name of a file: write 1 to 512 letters, digits and any of ._-/, "
            "without .. and without / in front"
        )
    lasting, passing = prefixes_of(plugin_id, user_id)
    return f"{passing}{name.removeprefix(TRANSFERS)}" if name.startswith(TRANSFERS) else f"{lasting}{name}"


def prefixes_of(plugin_id: str, user_id: str | None) -> tuple[str, str]:
    """Return how the keys begin of all files that the plugin has for the user: those that last, and those of a day."""
    # A digest has one length and no sign that means something in a key, whatever the id has.
    owner = _NOBODY if user_id is None else digest_of(user_id)
    return f"{_FILES}{plugin_id}/{owner}/", f"{TRANSFERS}{plugin_id}/{owner}/"
