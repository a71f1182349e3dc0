"""Schedules in EventBridge Scheduler: made, changed, left alone, deleted, and under names that it takes."""

from __future__ import annotations

import json
import re

from memory_server.adapters.scheduler_plugin_schedules import SchedulerPluginSchedules
from tests.fixtures.aws import SCHEDULE_GROUP, SCHEDULE_ROLE, AwsStack, make_registration

REGISTRATION = make_registration("reports", queue_url="https://sqs.eu-central-1.amazonaws.com/1/memory-plugin-reports")


def schedules(aws: AwsStack) -> SchedulerPluginSchedules:
    return SchedulerPluginSchedules(aws.clients.scheduler, SCHEDULE_GROUP, SCHEDULE_ROLE)


def names(aws: AwsStack) -> list[str]:
    return sorted(
        it.get("Name", "") for it in aws.clients.scheduler.list_schedules(GroupName=SCHEDULE_GROUP)["Schedules"]
    )


async def test_a_schedule_puts_its_name_id_and_time_on_the_plugin_s_queue(aws: AwsStack) -> None:
    await schedules(aws).apply(REGISTRATION, {"nightly": "cron(0 3 * * ? *)"})
    made = aws.clients.scheduler.get_schedule(GroupName=SCHEDULE_GROUP, Name="reports-nightly")

    assert made["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert made["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert made["Target"]["Arn"] == "arn:aws:sqs:eu-central-1:123456789012:memory-plugin-reports"
    assert made["Target"]["RoleArn"] == SCHEDULE_ROLE
    assert json.loads(made["Target"].get("Input", "")) == {
        "schedule": "nightly",
        "id": "<aws.scheduler.execution-id>",
        "time": "<aws.scheduler.scheduled-time>",
    }


async def test_a_schedule_is_changed_where_it_is_another_and_left_alone_where_it_is_not(aws: AwsStack) -> None:
    def changed_at() -> object:
        made = aws.clients.scheduler.get_schedule(GroupName=SCHEDULE_GROUP, Name="reports-nightly")
        return made["ScheduleExpression"], made["LastModificationDate"]

    await schedules(aws).apply(REGISTRATION, {"nightly": "rate(1 day)"})
    first = changed_at()
    await schedules(aws).apply(REGISTRATION, {"nightly": "rate(1 day)"})
    assert changed_at() == first
    await schedules(aws).apply(REGISTRATION, {"nightly": "rate(2 days)"})
    assert changed_at() != first


async def test_deleting_touches_the_named_ones_alone_and_may_be_done_again(aws: AwsStack) -> None:
    await schedules(aws).apply(REGISTRATION, {"nightly": "rate(1 day)", "weekly": "rate(7 days)"})
    for _ in range(2):
        await schedules(aws).delete("reports", ["nightly"])
    assert names(aws) == ["reports-weekly"]


async def test_whatever_a_function_is_called_its_schedule_has_a_name_that_scheduler_takes(aws: AwsStack) -> None:
    functions = ["f" * 200, "f" * 201, "zusätzlich"]
    await schedules(aws).apply(REGISTRATION, dict.fromkeys(functions, "rate(1 day)"))

    assert len(names(aws)) == 3
    assert all(re.fullmatch(r"[0-9a-zA-Z_.-]{1,64}", name) for name in names(aws))
    await schedules(aws).delete("reports", functions)
    assert names(aws) == []
