"""The emulator's schedules are as those of EventBridge Scheduler: in what they send, and in who may make them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import pytest

from infra.local.aws import REGION
from infra.local.emulator import Emulator
from memory_server.adapters.scheduler_plugin_schedules import SchedulerPluginSchedules
from tests.fixtures.aws import make_registration

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient

REPOSITORY: Final = Path(__file__).parents[3]
EMULATOR_PYTHON: Final = str(REPOSITORY / ".venv-aws/bin/python")
ACCOUNT: Final = "000000000000"
FUNCTION: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:plugin-tested"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path / "aws", tmp_path / "aws.log")
    emulator.start()
    try:
        emulator.wait()
        yield emulator
    finally:
        os.killpg(emulator.child.pid, signal.SIGKILL)
        emulator.stop()


def scheduler(emulator: Emulator, key_id: str, secret_key: str) -> EventBridgeSchedulerClient:
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]  # few services have stubs
        "scheduler",
        endpoint_url=emulator.aws.endpoint,
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret_key,
    )


def of_operator(emulator: Emulator) -> EventBridgeSchedulerClient:
    environment = emulator.aws.environment
    return scheduler(emulator, environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])


def schedules(client: EventBridgeSchedulerClient, group: str = "memory") -> SchedulerPluginSchedules:
    return SchedulerPluginSchedules(client, group, f"arn:aws:iam::{ACCOUNT}:role/schedules")


async def test_a_schedule_that_is_due_sends_its_name_an_id_and_the_time_to_the_plugin_s_queue(
    emulator: Emulator,
) -> None:
    sqs, client = emulator.aws.sqs, of_operator(emulator)
    queue_url = sqs.create_queue(QueueName="plugin-tested")["QueueUrl"]
    client.create_schedule_group(Name="memory")
    registration = make_registration("tested", queue_url=queue_url, function_arn=FUNCTION)

    # The emulator looks every 10 seconds for what is due.
    await schedules(client).apply(registration, {"nightly": "at(2026-01-01T00:00:00)"})
    (received,) = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20).get("Messages", [])

    message = json.loads(received.get("Body", ""))
    assert message["schedule"] == "nightly"
    assert re.fullmatch(r"[0-9a-f-]{36}", message["id"])
    assert abs(datetime.now(UTC) - datetime.fromisoformat(message["time"])).total_seconds() < 60


def test_a_policy_names_a_schedule_in_its_group() -> None:
    script = """
from infra.local.aws_schedules import complete_schedules

complete_schedules()
from ministack.core.iam_actions import extract_resource_arn as arn_of

for method, body, query in (
    ("GET", b"", {"groupName": ["memory"]}),
    ("DELETE", b"", {"groupName": "memory"}),
    ("POST", b'{"GroupName": "memory"}', {"groupName": "other"}),
    ("PUT", b'{}', {}),
):
    print(arn_of("scheduler", method, "/schedules/tested-nightly", {}, body, query, "us-east-1", "1"))
"""
    run = subprocess.run([EMULATOR_PYTHON, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    in_group = "arn:aws:scheduler:us-east-1:1:schedule/memory/tested-nightly"
    assert run.stdout.split() == [in_group] * 3 + [in_group.replace("memory", "default")]
