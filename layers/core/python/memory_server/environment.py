"""What an execution environment of Lambda keeps from one invocation to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Generic, TypeVar

from memory_server.settings import Settings

T = TypeVar("T")
R = TypeVar("R")


class Environment(Generic[T]):
    """One event loop, and on it what ``build`` gives: connections are bound to the loop that made them.

    Nothing is built before the first ``run``. Lambda ends an environment without a word; ``close`` is for those who can
    tell.
    """

    def __init__(self, build: Callable[[Settings], AbstractAsyncContextManager[T]]) -> None:
        self._build = build
        self._runner: asyncio.Runner | None = None
        self._stack = AsyncExitStack()
        self._built: T | None = None

    def run(self, use: Callable[[T], Coroutine[None, None, R]]) -> R:
        """Return what ``use`` returns for what was built. A build that fails is tried again at the next call.

        Raises:
            InvalidSettings: the environment lacks a variable.
        """
        if self._runner is None:
            self._runner = asyncio.Runner()
        if self._built is None:
            build = self._build(Settings.from_environment())
            self._built = self._runner.run(self._stack.enter_async_context(build))
        return self._runner.run(use(self._built))

    def close(self) -> None:
        """Let go of what was built; the next ``run`` builds it anew."""
        if self._runner is not None:
            self._runner.run(self._stack.aclose())
            self._runner.close()
        self._runner = self._built = None
