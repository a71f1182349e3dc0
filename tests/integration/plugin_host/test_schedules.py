"""The calls of a plugin's schedules come through its queue as events do."""

from __future__ import annotations

from plugin_kit.json_types import dumps
from tests.integration.plugin_host.stack import Stack, cold_start

NIGHTLY = """
async def memory_created(memory, context): ...

async def nightly(context):
    say(f"{context['user_id']} {sorted(context['metadata'].items())}")
"""
SCHEDULES = {"nightly": "cron(0 3 * * ? *)"}


def call(stack: Stack, name: str, execution: str = "e1", time: str = "2026-11-22T03:00:00Z") -> None:
    body = dumps({"schedule": name, "id": execution, "time": time})
    stack.aws.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=body)


def test_a_schedule_calls_its_function_once_an_execution(stack: Stack) -> None:
    stack.plugin(NIGHTLY, schedules=SCHEDULES)
    handler = cold_start()
    for execution in ("e1", "e1", "e2"):
        call(stack, "nightly", execution)
        assert stack.poll(handler) == []
    assert stack.said == [
        f"None [('event_id', '{execution}'), ('hook', 'nightly'), ('occurred_at', '2026-11-22T03:00:00+00:00')]"
        for execution in ("e1", "e2")
    ]
    assert stack.statistics["delivered"] == "2"
    assert [(entry["hook"], entry["event_id"]) for entry in stack.log] == [("nightly", "e1"), ("nightly", "e2")]


def test_a_schedule_that_the_plugin_does_not_have_fails(stack: Stack) -> None:
    stack.plugin(NIGHTLY, schedules=SCHEDULES)
    call(stack, "memory_created")
    assert stack.poll(cold_start()) == [0]
    assert stack.statistics["last_error"].startswith("the plugin has no schedule memory_created")


def test_a_disabled_plugins_schedules_are_dropped(stack: Stack) -> None:
    stack.plugin(NIGHTLY, schedules=SCHEDULES)
    stack.set_enabled(False)
    call(stack, "nightly")
    assert stack.poll(cold_start()) == []
    assert stack.said == []


def test_a_call_without_its_time_fails_and_says_so(stack: Stack) -> None:
    call(stack, "nightly", time="soon")
    assert stack.poll(cold_start()) == [0]
    assert "the call of a schedule is malformed" in stack.statistics["last_error"]
