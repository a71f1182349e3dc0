"""What a plugin wrote, found in the logs that a server on this machine keeps in its data folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FILES: Final = ("aws.log.1", "aws.log")  # the start before this one, and this one
_ENTRY: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]+ \[")
_OUTPUT: Final = re.compile(r"Lambda (\S+?) (?:async )?output\b.*:$")


def plugin_lines(data_dir: Path, plugin_id: str) -> Iterator[str]:
    """Yield the lines that the function of the plugin ``plugin_id`` wrote, oldest first.

    Raises:
        OSError: a log cannot be read.
    """
    for name in _FILES:
        file = data_dir / "logs" / name
        if file.is_file():
            yield from _output(file.read_text(errors="replace").splitlines(), plugin_id)


def _output(lines: list[str], plugin_id: str) -> Iterator[str]:
    of_plugin = False
    for line in lines:
        if _ENTRY.match(line):
            heading = _OUTPUT.search(line)
            of_plugin = heading is not None and heading[1].endswith(f"-plugin-{plugin_id}")
        elif of_plugin:
            yield line
