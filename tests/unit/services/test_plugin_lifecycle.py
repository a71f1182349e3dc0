"""What switching a plugin on and off does when a part of it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

import pytest

from memory_server.domain.errors import Fault, InvalidRequest, MemoryServerError, PluginRefused, Unavailable
from memory_server.services.plugin_lifecycle import PluginLifecycle
from memory_server.services.plugin_ports import PluginConfig, PluginConfigs, PluginRegistration, PluginRegistry
from tests.fixtures.aws import make_registration

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCHEDULES = {"nightly": "cron(0 3 * * ? *)", "once": "at(2026-11-22T11:00:00)", "later": "at(2026-11-23T11:00:00)"}


@dataclass
class World:
    """All that a plugin's life touches: ``done`` is what happened, in order; what is in ``failing`` raises."""

    registration: PluginRegistration
    config: PluginConfig = field(default_factory=PluginConfig)
    failing: dict[str, MemoryServerError] = field(default_factory=dict[str, MemoryServerError])
    done: list[str] = field(default_factory=list[str])
    scheduled: dict[str, str] = field(default_factory=dict[str, str])

    def do(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]
        self.done.append(what)

    async def get(self, plugin_id: str) -> PluginRegistration:
        assert plugin_id == self.registration.plugin_id
        return self.registration

    async def set_enabled(self, plugin_id: str, enabled: bool, *, reason: str | None = None) -> PluginRegistration:
        self.do("on" if enabled else "off")
        assert plugin_id == self.registration.plugin_id
        self.registration = replace(self.registration, enabled=enabled, disabled_reason=reason)
        return self.registration

    async def describe(self, function_arn: str) -> Mapping[str, str]:
        raise AssertionError(function_arn)

    async def initialize(self, function_arn: str) -> None:
        assert function_arn == self.registration.function_arn
        self.do("initialize")

    async def cleanup(self, function_arn: str) -> None:
        assert function_arn == self.registration.function_arn
        self.do("cleanup")

    async def apply(self, registration: PluginRegistration, expressions: Mapping[str, str]) -> None:
        assert registration.plugin_id == self.registration.plugin_id
        self.do("schedule")
        self.scheduled.update(expressions)

    async def delete(self, plugin_id: str, names: Sequence[str]) -> None:
        assert plugin_id == self.registration.plugin_id
        self.do("unschedule")
        for name in names:
            self.scheduled.pop(name, None)

    def forget(self) -> None:
        self.do("forget")

    def now(self) -> datetime:
        return NOW

    @property
    def configs(self) -> PluginConfigs:
        world = self

        class Configs:
            async def get(self, plugin_id: str) -> PluginConfig:
                assert plugin_id == world.registration.plugin_id
                return world.config

        return cast(PluginConfigs, Configs())

    @property
    def lifecycle(self) -> PluginLifecycle:
        registry = cast(PluginRegistry, self)
        return PluginLifecycle(registry, self, self.configs, self, self, self)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def world() -> World:
    return World(make_registration("tested", enabled=False, manifest={"schedules": SCHEDULES}))


async def test_a_plugin_is_on_only_after_it_is_initialized_and_scheduled(world: World) -> None:
    enabled = await world.lifecycle.enable("tested")

    assert enabled.enabled
    assert world.done == ["initialize", "schedule", "on", "forget"]


async def test_a_moment_that_has_passed_is_not_scheduled(world: World) -> None:
    await world.lifecycle.enable("tested")

    assert world.scheduled.keys() == {"nightly", "later"}


async def test_what_the_operator_set_is_scheduled_in_place_of_what_the_plugin_says(world: World) -> None:
    world.config = PluginConfig(schedules={"nightly": "rate(1 hour)", "gone": "rate(1 day)"})
    await world.lifecycle.enable("tested")

    assert world.scheduled == {"nightly": "rate(1 hour)", "later": SCHEDULES["later"]}


@pytest.mark.parametrize("part", ["schedule", "on"])
async def test_what_cannot_be_enabled_is_taken_back(world: World, part: str) -> None:
    world.failing[part] = Unavailable("part")
    with pytest.raises(Unavailable):
        await world.lifecycle.enable("tested")

    assert not world.registration.enabled
    assert world.scheduled == {}
    assert world.done[-2:] == ["unschedule", "cleanup"]


async def test_a_schedule_that_is_refused_refuses_the_plugin(world: World) -> None:
    world.failing["schedule"] = InvalidRequest([Fault(("schedules", "nightly"), "no such day")])
    with pytest.raises(PluginRefused, match=r"schedules\.nightly: no such day"):
        await world.lifecycle.enable("tested")


async def test_a_plugin_that_is_on_gets_its_schedules_again_and_is_not_initialized_again(world: World) -> None:
    world.registration = replace(world.registration, enabled=True)
    await world.lifecycle.enable("tested")

    assert world.done == ["schedule"]


async def test_a_plugin_is_off_before_anything_else_is_done_about_it(world: World) -> None:
    world.registration = replace(world.registration, enabled=True)
    disabled = await world.lifecycle.disable("tested", reason="it failed")

    assert (disabled.registration.disabled_reason, disabled.warnings) == ("it failed", ())
    assert world.done == ["off", "forget", "unschedule", "cleanup"]


async def test_what_fails_after_a_plugin_is_off_is_a_warning_and_hinders_nothing(world: World) -> None:
    world.registration = replace(world.registration, enabled=True)
    world.failing = {"unschedule": Unavailable("scheduler"), "cleanup": Unavailable("function")}
    disabled = await world.lifecycle.disable("tested")

    assert not disabled.registration.enabled
    assert [warning.split(":")[0] for warning in disabled.warnings] == [
        "the scheduler does not answer",
        "the function does not answer",
    ]


async def test_disabling_what_the_server_switched_off_leaves_the_reason(world: World) -> None:
    world.registration = replace(world.registration, disabled_reason="it failed 20 times")
    disabled = await world.lifecycle.disable("tested")

    assert disabled.registration.disabled_reason == "it failed 20 times"
    assert world.done == ["unschedule"]
