"""A schedule of the emulator calls as EventBridge Scheduler does: with an id and a time of each call's own."""

from __future__ import annotations

import json
import os
import re
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from infra.local.emulator import Emulator
from memory_server.adapters.scheduler_plugin_schedules import SchedulerPluginSchedules
from tests.fixtures.aws import make_registration

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient


async def test_a_schedule_that_is_due_sends_its_name_an_id_and_the_time_to_the_plugin_s_queue(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "aws", tmp_path / "aws.log")
    emulator.start()
    try:
        emulator.wait()
        message = await due_message(emulator)
    finally:
        os.killpg(emulator.child.pid, signal.SIGKILL)
        emulator.stop()

    assert message["schedule"] == "nightly"
    assert re.fullmatch(r"[0-9a-f-]{36}", message["id"])
    assert abs(datetime.now(UTC) - datetime.fromisoformat(message["time"])).total_seconds() < 60


async def due_message(emulator: Emulator) -> dict[str, str]:
    """Return what the schedule of a moment that is past puts on the queue: the emulator looks every 10 seconds."""
    sqs, environment = emulator.aws.sqs, emulator.aws.environment
    queue_url = sqs.create_queue(QueueName="plugin-tested")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    _, _, _, region, account, _ = queue_arn.split(":")
    client: EventBridgeSchedulerClient = boto3.client(  # pyright: ignore[reportUnknownMemberType]  # few have stubs
        "scheduler",
        endpoint_url=emulator.aws.endpoint,
        region_name=region,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_schedule_group(Name="memory")
    registration = make_registration(
        "tested", queue_url=queue_url, function_arn=f"arn:aws:lambda:{region}:{account}:function:plugin-tested"
    )
    schedules = SchedulerPluginSchedules(client, "memory", f"arn:aws:iam::{account}:role/schedules")
    await schedules.apply(registration, {"nightly": "at(2026-01-01T00:00:00)"})
    received = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)
    return json.loads(received.get("Messages", [])[0].get("Body", ""))
