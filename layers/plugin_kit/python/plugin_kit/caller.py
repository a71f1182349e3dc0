"""Calls the functions of a plugin on one event loop, each within its time, and lets nothing of them out."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final, TypeAlias

from plugin_kit.errors import HookFailed, OutOfTime
from plugin_kit.output import Output
from plugin_kit.process_state import ProcessState

_AFTER_ASYNC_SECONDS: Final = 0.3

PluginFunction: TypeAlias = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a function returned, and how long it took."""

    returned: object
    milliseconds: int


class Caller:
    """The event loop of one plugin. ``running`` tells whether plugin code is being called."""

    def __init__(self, state: ProcessState, output: Output) -> None:
        self._state = state
        self._output = output
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self.running = False

    def call(self, function: PluginFunction, arguments: tuple[object, ...], seconds: float) -> Ran:
        """Return what ``function`` returns within ``seconds``.

        Raises:
            HookFailed: it raised, or did not end in time.
        """
        began = time.perf_counter()
        try:
            with self.enclosed(seconds + _AFTER_ASYNC_SECONDS):
                returned = self._runner.run(_limited(function, arguments, seconds))
        except BaseException as error:  # a plugin's SystemExit must not end the batch
            self._cancel_what_is_left()
            raise HookFailed(_described(error, seconds), _milliseconds_since(began)) from error
        return Ran(returned, _milliseconds_since(began))

    @contextmanager
    def enclosed(self, seconds: float) -> Generator[None]:
        """Run plugin code for as long as this lasts: its output is taken, its changes of the process are its own.

        Raises:
            OutOfTime: in the plugin code, when it blocks its thread beyond ``seconds``.
        """
        self.running = True
        try:
            with self._state.kept(), self._output.taken(), _alarm(seconds):
                yield
        finally:
            self.running = False

    def close(self) -> None:
        """End the event loop."""
        self._runner.close()

    def _cancel_what_is_left(self) -> None:
        if not self._loop.is_closed():
            for task in asyncio.all_tasks(self._loop):
                task.cancel()


async def _limited(function: PluginFunction, arguments: tuple[object, ...], seconds: float) -> object:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await function(*arguments)
    except TimeoutError:
        if limit.expired():
            raise OutOfTime from None
        raise


def _described(error: BaseException, seconds: float) -> str:
    if isinstance(error, OutOfTime):
        return f"TimeoutError: it took longer than the {seconds:.1f} s that were left"
    return f"{type(error).__name__}: {error}"


@contextmanager
def _alarm(seconds: float) -> Generator[None]:
    """Raise OutOfTime after ``seconds`` in what this lasts for, wherever signals can be handled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime("it took too long")


def _milliseconds_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
