"""What a person at the terminal is told: the steps of a start, each with the time it takes, several at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Self, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Note: TypeAlias = "Callable[[str], None]"
"""Says what a step does just now."""


class Steps(Protocol):
    """Tells of steps as they run. Safe to use from several threads."""

    def step(self, name: str) -> AbstractContextManager[Note]:
        """Tell of the step ``name`` while the context lasts, and how it ended."""
        ...


class PlainSteps:
    """A line when a step starts, when it has something to say, and when it ends: for logs and pipes."""

    @contextmanager
    def step(self, name: str) -> Generator[Note]:
        started = time.monotonic()
        print(f"{name} ...", flush=True)
        said, at = "", started

        def note(text: str) -> None:
            nonlocal said, at
            if text != said and time.monotonic() - at > 1:
                said, at = text, time.monotonic()
                print(f"{name}: {text}", flush=True)

        try:
            yield note
        except BaseException:
            print(f"{name}: failed after {time.monotonic() - started:.1f} s", flush=True)
            raise
        print(f"{name}: done in {time.monotonic() - started:.1f} s", flush=True)


class LiveSteps:
    """A line a step that turns while it runs and keeps its time when it is done: for a terminal."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def step(self, name: str) -> Generator[Note]:
        task = self._progress.add_task(escape(name), total=1, note="")
        try:
            yield lambda text: self._progress.update(task, note=escape(text))
        except BaseException:
            self._progress.update(task, note="failed")
            raise
        self._progress.update(task, completed=1, note="")


@contextmanager
def steps() -> Generator[Steps]:
    """Tell of steps on standard output, in the way that suits it."""
    console = Console()
    if console.is_terminal:
        with LiveSteps(console) as live:
            yield live
    else:
        yield PlainSteps()
