"""A plugin as its deployment leaves it: a function that can be called, a queue, a secret, and its registration."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from memory_server.domain.events import new_id
from plugin_kit.json_types import JsonObject
from tests.fixtures.aws import SCHEDULE_GROUP, SERVER_NAME, AwsStack, make_registration
from tests.fixtures.plugin_function import PluginFunction


@dataclass(frozen=True)
class DeployedPlugin:
    """The plugin of that id; it is not registered before ``deploy``."""

    plugin_id: str
    function: PluginFunction
    stack: AwsStack
    queue_url: str
    dead_letter_queue_url: str

    def deploy(self, source: str = "", *, enabled: bool = False, **info: object) -> None:
        """Register what ``source`` and ``info`` make of the plugin, with that enable state."""
        self.function.deploy(source, **info)
        described = cast(JsonObject, json.loads(self.function.answer(b'{"action": "describe"}')))
        registration = make_registration(
            self.plugin_id,
            hooks=tuple(cast("list[str]", info.get("hooks", []))),
            enabled=enabled,
            queue_url=self.queue_url,
            dead_letter_queue_url=self.dead_letter_queue_url,
            manifest=described["ok"],
        )
        asyncio.run(self.stack.registry().register(registration))

    @property
    def schedules(self) -> dict[str, str]:
        """The expressions of all schedules of the plugin that there are now, by their functions."""
        scheduler = self.stack.clients.scheduler
        listed = scheduler.list_schedules(GroupName=SCHEDULE_GROUP, NamePrefix=self.plugin_id)["Schedules"]
        found = [scheduler.get_schedule(GroupName=SCHEDULE_GROUP, Name=it.get("Name", "")) for it in listed]
        return {json.loads(it["Target"].get("Input", ""))["schedule"]: it["ScheduleExpression"] for it in found}

    @property
    def secrets(self) -> dict[str, str]:
        """The plugin's secrets by name."""
        answer = self.stack.clients.secrets.get_secret_value(
            SecretId=f"{SERVER_NAME}/plugin/{self.plugin_id}", VersionStage="AWSCURRENT"
        )
        return json.loads(answer["SecretString"])


@contextmanager
def deployed(
    stack: AwsStack, functions: dict[str, Callable[[bytes], bytes]], folder: Path
) -> Generator[DeployedPlugin]:
    """Give a plugin that is there for as long as the context lasts."""
    plugin_id = f"plugin_{new_id().replace('-', '')}"
    function = PluginFunction(plugin_id, folder)
    functions[plugin_id] = function.answer
    stack.clients.secrets.create_secret(Name=f"{SERVER_NAME}/plugin/{plugin_id}", SecretString="{}")
    dead = stack.clients.sqs.create_queue(QueueName=f"plugin-{plugin_id}-dead")["QueueUrl"]
    yield DeployedPlugin(plugin_id, function, stack, stack.make_queue(plugin_id), dead)
    function.close()
    asyncio.run(stack.registry().remove(plugin_id))
