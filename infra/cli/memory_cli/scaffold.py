"""A new plugin: a copy of the folder ``new_plugin``, which is a plugin itself, under the new plugin's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from memory_cli.errors import Failed
from plugin_kit.key_checks import id_faults

FILES: Final = ("plugin.py", "requirements.txt", "README.md", "test_plugin.py")
_TEMPLATE: Final = Path(__file__).with_name("new_plugin")


def make_plugin(plugin_id: str, parent: Path) -> Path:
    """Make the folder of a plugin in the folder ``parent``, and return it.

    Raises:
        Failed: the name is not one for a plugin or is taken, or the folder cannot be written.
    """
    faults = list(id_faults(plugin_id))
    if faults:
        raise Failed("\n".join(faults) + _proposal(plugin_id))
    folder = parent / plugin_id
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise Failed(f"{folder} is there already: choose another name, or another folder with --folder") from None
    except OSError as error:
        raise Failed(f"{folder} cannot be made: {error.strerror}") from error
    for name in FILES:
        text = (_TEMPLATE / name).read_text().replace(_TEMPLATE.name, plugin_id)
        (folder / name).write_text(text.replace("New Plugin", plugin_id.replace("_", " ").title()))
    return folder


def _proposal(plugin_id: str) -> str:
    near = re.sub(r"[^a-z0-9]+", "_", plugin_id.lower()).strip("_0123456789")[:40]
    near = near if near and near != plugin_id else f"{near}_plugin"
    return "" if any(id_faults(near)) else f"\nFor example: memory-server plugin new {near}"
