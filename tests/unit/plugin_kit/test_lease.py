"""A hook may start only on an answer that ``disable`` has waited for."""

from __future__ import annotations

import pytest

from plugin_kit.errors import ServiceFailed
from plugin_kit.lease import LEASE_SECONDS, Lease


class Registry:
    """An enable state, the times at which it was asked, and a clock that moves while it answers."""

    def __init__(self, *, seconds_to_answer: float = 0.0) -> None:
        self.enabled = True
        self.now = 1000.0
        self.questions: list[float] = []
        self._seconds = seconds_to_answer

    def ask(self) -> bool:
        self.questions.append(self.now)
        self.now += self._seconds
        return self.enabled

    def lease(self) -> Lease:
        return Lease(self.ask, lambda: self.now)


def test_one_question_serves_the_hooks_that_follow_at_once() -> None:
    registry = Registry()
    lease = registry.lease()
    assert [lease.holds() for _ in range(10)] == [True] * 10
    assert len(registry.questions) == 1


def test_no_hook_starts_once_disable_has_answered() -> None:
    registry = Registry(seconds_to_answer=0.1)
    lease = registry.lease()
    assert lease.holds()
    registry.enabled = False
    registry.now = registry.questions[0] + LEASE_SECONDS
    assert not lease.holds()


def test_the_time_that_the_answer_took_is_not_added_to_the_lease() -> None:
    registry = Registry(seconds_to_answer=0.15)
    lease = registry.lease()
    lease.holds()
    registry.now += 0.06
    lease.holds()
    assert len(registry.questions) == 2


def test_a_no_is_never_kept() -> None:
    registry = Registry()
    registry.enabled = False
    lease = registry.lease()
    assert not lease.holds()
    registry.enabled = True
    assert lease.holds()


def test_answers_that_come_too_late_let_no_hook_start() -> None:
    registry = Registry(seconds_to_answer=LEASE_SECONDS)
    with pytest.raises(ServiceFailed, match="the registry took longer"):
        registry.lease().holds()
    assert len(registry.questions) == 3
