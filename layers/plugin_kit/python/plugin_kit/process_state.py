"""What plugin code changes of its process, it changes for itself alone: the host goes on as if nothing had been."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeAlias

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)

_SignalHandler: TypeAlias = "Callable[[int, FrameType | None], object] | int | None"


class ProcessState:
    """The state of the process beside plugin code. Make it before the plugin is imported.

    A plugin keeps its own changes of os.environ and sys.path: they are there whenever its code runs, and away when the
    host's does. Modules, handlers of signals, the working directory and ``logger`` are put back after each call, and
    loggers that were on when this was made are on again.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._loggers_on = [logger for logger in _loggers() if not logger.disabled]
        self._modules = dict(sys.modules)
        self._folder = os.getcwd()  # noqa: PTH109  # what chdir takes
        self._variables: dict[str, str | None] = {}
        self._path: list[str] | None = None

    @contextmanager
    def kept(self) -> Generator[None]:
        """Run plugin code, for as long as this lasts, in the environment that it has made itself."""
        environment, path, path_entries = dict(os.environ), sys.path, list(sys.path)
        handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        logging_state = self._logging_state()
        _set_variables(self._variables)
        if self._path is not None:
            sys.path[:] = self._path
        try:
            yield
        finally:
            changed = dict(os.environ)
            self._variables = _changes(environment, changed)
            _set_variables(_changes(changed, environment))
            self._path = list(sys.path) if sys.path != path_entries else None
            sys.path = path
            path[:] = path_entries
            self._restore_modules()
            self._restore_folder()
            _restore_signals(handlers)
            self._restore_logging(*logging_state)

    def _logging_state(self) -> tuple[dict[str, object], int]:
        state = dict(vars(self._logger))
        return {**state, "handlers": list(self._logger.handlers), "filters": list(self._logger.filters)}, _disabled()

    def _restore_logging(self, state: dict[str, object], disabled: int) -> None:
        if _disabled() != disabled:
            logging.disable(disabled)
        for logger in self._loggers_on:
            logger.disabled = False
        if {name: vars(self._logger).get(name) for name in state} != state:
            vars(self._logger).update(state)

    def _restore_modules(self) -> None:
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module

    def _restore_folder(self) -> None:
        try:
            moved = os.getcwd() != self._folder  # noqa: PTH109  # as above
        except FileNotFoundError:
            moved = True
        if moved:
            os.chdir(self._folder)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that make ``after`` of ``before``; None stands for one that is removed."""
    if before == after:
        return {}
    return {name: after.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _set_variables(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _restore_signals(handlers: Mapping[signal.Signals, _SignalHandler]) -> None:
    if threading.current_thread() is threading.main_thread():  # no other may set them
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _loggers() -> list[logging.Logger]:
    return [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]


def _disabled() -> int:
    return logging.root.manager.disable
