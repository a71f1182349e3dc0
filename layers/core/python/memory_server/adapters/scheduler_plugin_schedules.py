"""The plugins' schedules on Amazon EventBridge Scheduler, in one group of schedules of the server's."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from memory_server.adapters.aws import call
from memory_server.domain.errors import Fault, InvalidRequest
from memory_server.services.plugin_ports import PluginRegistration
from plugin_kit.json_types import dumps

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_scheduler.type_defs import GetScheduleOutputTypeDef, TargetTypeDef

_COMPONENT: Final = "plugin schedules"
_MAX_NAME: Final = 64
_DIGEST: Final = 12


class SchedulerPluginSchedules:
    """PluginSchedules: at its time each puts ``{"schedule", "id", "time"}`` on the plugin's queue.

    ``group`` is the name of the group, ``role_arn`` the role under which Scheduler may send to the queues.
    """

    def __init__(self, client: EventBridgeSchedulerClient, group: str, role_arn: str) -> None:
        self._client = client
        self._group = group
        self._role_arn = role_arn

    async def apply(self, registration: PluginRegistration, expressions: Mapping[str, str]) -> None:
        await asyncio.gather(
            *(call(_COMPONENT, self._apply, registration, name, text) for name, text in expressions.items())
        )

    async def delete(self, plugin_id: str, names: Sequence[str]) -> None:
        await asyncio.gather(*(call(_COMPONENT, self._delete, _schedule(plugin_id, name)) for name in names))

    def _apply(self, registration: PluginRegistration, name: str, expression: str) -> None:
        schedule = _schedule(registration.plugin_id, name)
        target = self._target(registration, name)
        current = self._current(schedule)
        if current and (current["ScheduleExpression"], current["Target"]) == (expression, target):
            # Setting a rate to what it is would let its time begin anew.
            return
        put = self._client.update_schedule if current else self._client.create_schedule
        try:
            put(
                Name=schedule,
                GroupName=self._group,
                Description=f"Calls {name} of the plugin {registration.plugin_id}"[:512],
                ScheduleExpression=expression,
                FlexibleTimeWindow={"Mode": "OFF"},
                Target=target,
            )
        except self._client.exceptions.ValidationException as error:
            reason = error.response.get("Error", {}).get("Message", "no reason given")
            raise InvalidRequest([Fault(("schedules", name), f"EventBridge Scheduler refuses it: {reason}")]) from error

    def _current(self, schedule: str) -> GetScheduleOutputTypeDef | None:
        try:
            return self._client.get_schedule(GroupName=self._group, Name=schedule)
        except self._client.exceptions.ResourceNotFoundException:
            return None

    def _delete(self, schedule: str) -> None:
        with suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_schedule(GroupName=self._group, Name=schedule)

    def _target(self, registration: PluginRegistration, name: str) -> TargetTypeDef:
        _, partition, _, region, account, *_ = registration.function_arn.split(":")
        queue = registration.queue_url.rpartition("/")[2]
        call = {"schedule": name, "id": "<aws.scheduler.execution-id>", "time": "<aws.scheduler.scheduled-time>"}
        return {
            "Arn": f"arn:{partition}:sqs:{region}:{account}:{queue}",
            "RoleArn": self._role_arn,
            "Input": dumps(call),
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 60},
        }


def _schedule(plugin_id: str, name: str) -> str:
    """Return the name of a schedule in its group: readable, and short enough for Scheduler."""
    full = f"{plugin_id}-{name}"
    if len(full) <= _MAX_NAME and full.isascii():
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:_DIGEST]
    return f"{plugin_id}-{digest}"
