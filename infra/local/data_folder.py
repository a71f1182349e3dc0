"""The folder that outlives every process: who may use it, and what stands where."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from infra.local.errors import CannotRun


class DataFolder:
    """``root`` and its parts, for one instance at a time. Entering takes it; the end of the process gives it back."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.postgres = self.root / "postgres"
        self.aws = self.root / "aws"
        self.logs = self.root / "logs"
        self.checkpoint = self.aws / "checkpoint"
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Raises: CannotRun: another instance uses it, or it cannot be written."""
        try:
            for folder in (self.aws, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.root / "lock").open("a+")
        except OSError as error:
            raise CannotRun(
                f"the data folder {self.root} cannot be written: {error.strerror}; choose another with DATA_DIR="
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            raise CannotRun(
                f"the data folder {self.root} is in use by process {self._lock.read().strip() or '?'}: "
                "stop that one, or choose another folder with DATA_DIR="
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()
