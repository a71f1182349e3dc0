"""Services that end the process at a call, as a SIGKILL would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from plugin_kit.context import Context
from tests.plugins.backup_manager.desk import Desk

_SERVICES = ("memory_service", "database_service")


class Died(BaseException):
    """The process is gone."""


@dataclass
class Life:
    """How many calls of services the process lives for; ``calls`` counts them."""

    lasts: int
    calls: int = 0

    def spend(self) -> None:
        self.calls += 1
        if self.calls > self.lasts:
            raise Died


class Mortal:
    """Stands before a service; each call costs a bit of life, before it is done and after it."""

    def __init__(self, service: object, life: Life) -> None:
        self._service = service
        self._life = life

    def __getattr__(self, name: str) -> object:
        value = getattr(self._service, name)
        if name == "files":
            return Mortal(value, self._life)
        method = cast("Callable[..., Awaitable[object]]", value)

        async def call(*arguments: object, **named: object) -> object:
            self._life.spend()
            answer = await method(*arguments, **named)
            self._life.spend()
            return answer

        return call


@dataclass(kw_only=True)
class MortalDesk(Desk):
    """A desk whose process dies when ``life`` is spent, and with it all that waits in the queues."""

    life: Life

    def context(self) -> Context:
        context = Desk.context(self)
        mortal = {name: Mortal(context.get(name), self.life) for name in _SERVICES}
        return cast(Context, {**context, **mortal})

    async def live(self, doing: Callable[[], Awaitable[object]]) -> bool:
        """Do it until it is done, and return True, or until the process dies."""
        try:
            await doing()
        except Died:
            self.memories.started.clear()
            return False
        return True


async def hours_pass(desk: Desk) -> None:
    """Let nothing of what is under way be recent."""
    for table in ("backups", "runs"):
        await desk.sql.execute(f"UPDATE {table} SET touched_at = touched_at - interval '2 hours'")  # noqa: S608


async def twice_at_once(desk: Desk) -> None:
    """Run every task twice at the same time, as where one is delivered again while the first still runs."""
    from plugin_kit.testing import fire_task
    from plugins.backup_manager import plugin

    while desk.memories.started:
        task = desk.memories.started.pop(0)
        await asyncio.gather(*(fire_task(plugin, task.task, task.arguments, desk.context()) for _ in range(2)))
