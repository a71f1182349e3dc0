"""Where a plugin's files are: the names that it may give, and the key of each in the bucket."""

from __future__ import annotations

import re
from typing import Final

TRANSFERS: Final = "transfers/"
"""How the names of files begin that the bucket deletes after a day."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-][A-Za-z0-9._/-]{0,511}")


def key_of(plugin_id: str, name: str) -> str:
    """Return the key of the plugin's file ``name``.

    Raises:
        ValueError: a file cannot have this name.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError(
            f"{name[:100]!r} is no name of a file: write 1 to 512 letters, digits and any of ._-/, "
            "without .. and without / in front"
        )
    if name.startswith(TRANSFERS):
        return f"{TRANSFERS}{plugin_id}/{name.removeprefix(TRANSFERS)}"
    return f"files/{plugin_id}/{name}"
