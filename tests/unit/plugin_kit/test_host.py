"""A plugin's life in its environment, below the queue."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugin_kit.aws import Aws
from plugin_kit.batch import retry_delay
from plugin_kit.envelope import Event
from plugin_kit.errors import HookFailed
from plugin_kit.host import Host
from plugin_kit.models import Memory
from plugin_kit.output import Output
from plugin_kit.redaction import Redaction
from plugin_kit.settings import HostSettings

PLUGIN = """
from pathlib import Path

HOOKS = ["memory_created", "health_check"]
PLUGIN_INFO = {"name": "P", "version": "1.0", "description": "d", "author": "a", "hooks": HOOKS}

def say(word):
    with (Path(__file__).parent / "said").open("a") as file:
        file.write(word + " ")

async def initialize(context):
    say("initialize")

async def memory_created(memory, context):
    say(memory.content)

async def health_check(context):
    say("health_check")
    raise ValueError("the plugin's fault")

async def cleanup(context):
    say("cleanup")
"""
CREATED = Event(
    id="1",
    hook="memory_created",
    time=datetime(2026, 11, 22, 12, tzinfo=UTC),
    args={"memory": Memory(id="1", content="hello")},
)


class World:
    """A folder with a plugin, its host, and what the plugin said."""

    def __init__(self, folder: Path) -> None:
        (folder / "plugin.py").write_text(PLUGIN)
        self._folder = folder
        settings = HostSettings(
            plugin_id="p",
            plugins_table="",
            deliveries_table="",
            queue_url="",
            gateway_alias_arn="",
            events_bucket="",
            plugin_path=str(folder),
        )
        logger = logging.getLogger("p")
        self.host = Host(settings, Aws(), Output(logger, Redaction()), logger)

    @property
    def said(self) -> str:
        file = self._folder / "said"
        return file.read_text().strip() if file.exists() else ""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.host.close()


def test_a_plugin_is_initialized_once_and_cleaned_up_at_the_end(world: World) -> None:
    for _ in range(2):
        world.host.initialize(CREATED, 5)
        world.host.dispatch(CREATED, 5)
    world.host.close()
    assert world.said == "initialize hello hello cleanup"


def test_a_plugin_that_never_got_an_event_is_not_cleaned_up(world: World) -> None:
    _ = world.host.info
    world.host.close()
    assert world.said == ""


def test_what_a_hook_raises_is_named(world: World) -> None:
    with pytest.raises(HookFailed, match="ValueError: the plugin's fault"):
        world.host.dispatch(replace(CREATED, hook="health_check", args={}), 5)


def test_an_event_of_a_hook_that_is_not_the_plugins_fails(world: World) -> None:
    with pytest.raises(HookFailed, match="the plugin has no hook server_started"):
        world.host.dispatch(replace(CREATED, hook="server_started", args={}), 5)


def test_sigterm_between_hooks_ends_the_process_in_order(world: World) -> None:
    with pytest.raises(SystemExit):
        world.host.on_sigterm(signal.SIGTERM, None)


def test_sigterm_during_a_hook_ends_the_process_at_once(tmp_path: Path) -> None:
    script = f"""
        import os, signal, sys
        sys.path[:0] = {sys.path!r}
        from tests.unit.plugin_kit.test_host import *
        world = World(Path({str(tmp_path)!r}))
        signal.signal(signal.SIGTERM, world.host.on_sigterm)
        _ = world.host.info
        sys.modules["plugin_p"].say = lambda word: os.kill(os.getpid(), signal.SIGTERM)
        world.host.dispatch(CREATED, 5)
        print("survived")
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (128 + signal.SIGTERM, ""), ended.stderr


def test_a_message_comes_again_soon_and_then_later() -> None:
    assert [retry_delay(receives) for receives in range(1, 6)] == [1, 2, 4, 8, 8]
