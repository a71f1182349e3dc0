"""The memory of the emulated DynamoDB: every change is on disk before its answer leaves, so a SIGKILL loses none.

This runs inside the emulator's process, so it uses the standard library alone.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import TypeAlias, TypedDict, cast

Attributes: TypeAlias = "dict[str, dict[str, object]]"
"""A DynamoDB item or key as on the wire: {"plugin_id": {"S": "..."}}."""

TTL_ATTRIBUTE = "expires_at"
"""The attribute that template.yaml names as the TTL of every table that has one."""


class Change(TypedDict):
    """An item's new state; ``item`` is None where it was deleted."""

    table: str
    key: Attributes
    item: Attributes | None


class Journal:
    """The latest state of all items, and a file of changes, a line a request, that brings it back."""

    def __init__(self, path: Path, *, rewrite_bytes: int = 64 * 1024 * 1024) -> None:
        """Read ``path``, and write it anew without what is out of date; again whenever it grew by ``rewrite_bytes``."""
        self._path = path
        self._lock = path.with_suffix(".lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)  # an emulator that lost its owner just now may write its last line
        self._rewrite_bytes = rewrite_bytes
        self._items: dict[str, dict[str, Attributes]] = {}
        self._file: FileIO | None = None
        for change in _read(path):
            self._apply(change)
        self._rewrite()

    def items(self, table: str) -> list[Attributes]:
        """Return the items of ``table``."""
        return list(self._items.get(table, {}).values())

    def write(self, changes: list[Change]) -> None:
        """Keep the changes of one request: all of them or, if the process dies on the way, none.

        They are then safe from the death of any process, as the page cache has them; not from the machine's.

        Raises:
            OSError: the disk is full; nothing was kept.
        """
        assert self._file is not None, "the journal is closed"  # noqa: S101  # a slip of ours
        line = _line(changes)
        if self._file.write(line) != len(line):
            self._file.truncate(self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._size += len(line)
        for change in changes:
            self._apply(change)
        if self._size > self._rewrite_at:
            self._rewrite()

    def close(self) -> None:
        """Let another process open the journal."""
        if self._file is not None:
            self._file.close()
        self._lock.close()

    def _apply(self, change: Change) -> None:
        items = self._items.setdefault(change["table"], {})
        key = json.dumps(change["key"], sort_keys=True)
        if change["item"] is None:
            items.pop(key, None)
        else:
            items[key] = change["item"]

    def _rewrite(self) -> None:
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)  # there are secrets in it
        with new.open("wb") as file:
            for table, items in self._items.items():
                for key in [key for key, item in items.items() if _expired(item)]:
                    del items[key]
                for key, item in items.items():
                    file.write(_line([Change(table=table, key=cast(Attributes, json.loads(key)), item=item)]))
            self._size = file.tell()
        new.replace(self._path)
        if self._file is not None:
            self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._rewrite_at = self._size + self._rewrite_bytes


def _line(changes: list[Change]) -> bytes:
    return json.dumps(changes, separators=(",", ":")).encode() + b"\n"


def _read(path: Path) -> Iterator[Change]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return  # the process died as it wrote: nobody was told that this change was made
            yield from cast("list[Change]", json.loads(line))


def _expired(item: Mapping[str, Mapping[str, object]]) -> bool:
    expires_at = item.get(TTL_ATTRIBUTE, {}).get("N")
    return expires_at is not None and float(str(expires_at)) <= time.time()
