"""Batches of a plugin's queue, through the handler of its Lambda."""

from __future__ import annotations

import io
import json
import logging
import threading
import time

import pytest

from plugin_kit.json_types import dumps
from tests.integration.plugin_host.stack import BUCKET, Stack, act, cold_start, created

RAISES_AT_BAD = """
async def memory_created(memory, context):
    if memory.content == "bad":
        raise ValueError("I dislike it")
    say(memory.content)
"""

INITIALIZES = """
async def initialize(context):
    say("initialize")

async def memory_created(memory, context):
    say(memory.content)
"""


def test_a_hook_gets_its_arguments_and_the_events_context(stack: Stack) -> None:
    stack.plugin("""
        async def memory_created(memory, context):
            say(f"{memory.content} {memory.project}")
            say(f"{context['plugin_name']} {context['user_id']} {context['project']} {context['session_id']}")
            say(" ".join(f"{key}={value}" for key, value in context["metadata"].items()))
        """)
    stack.send(created("hello"))
    assert stack.poll(cold_start()) == []
    assert stack.said == [
        "hello home",
        "my_plugin local home None",
        "event_id=01890a5d-ac96-774b-bcce-000000000001 hook=memory_created occurred_at=2026-11-22T12:00:00+00:00",
    ]


def test_a_hook_that_raises_fails_its_own_record_only(stack: Stack) -> None:
    stack.plugin(RAISES_AT_BAD)
    stack.send(created("good", 1), created("bad", 2), created("better", 3))
    assert stack.poll(cold_start()) == [1]
    assert stack.said == ["good", "better"]
    statistics = stack.statistics
    assert (statistics["delivered"], statistics["failed"]) == ("2", "1")
    assert statistics["last_error"] == "ValueError: I dislike it"


def test_a_batch_that_fails_whole_is_reported_record_by_record(stack: Stack) -> None:
    stack.plugin(RAISES_AT_BAD)
    stack.send(created("bad", 1), created("bad", 2))
    assert stack.poll(cold_start()) == [0, 1]
    assert "last_delivered_at" not in stack.statistics


def test_an_event_that_is_delivered_again_reaches_the_plugin_once(stack: Stack) -> None:
    handler = cold_start()
    for environment in (handler, handler, cold_start()):
        stack.send(created("hello"))
        assert stack.poll(environment) == []
    assert stack.said == ["hello"]
    assert stack.statistics["delivered"] == "1"
    assert stack.queue_length == 0


def test_a_failed_event_comes_again_within_seconds_and_can_succeed(stack: Stack) -> None:
    stack.plugin("""
        async def memory_created(memory, context):
            say("tried")
            if (Path(__file__).parent / "said").read_text() == "tried\\n":
                raise OSError("the network is away")
        """)
    handler = cold_start()
    stack.send(created("hello"))
    assert stack.poll(handler) == [0]
    assert stack.receive() == []
    assert stack.poll(handler, wait_seconds=5) == []
    assert stack.said == ["tried", "tried"]
    assert stack.queue_length == 0
    assert (stack.statistics["delivered"], stack.statistics["failed"]) == ("1", "1")


def test_a_disabled_plugin_gets_nothing_and_its_events_are_dropped(stack: Stack) -> None:
    handler = cold_start()
    stack.send(created("before", 1))
    stack.poll(handler)
    stack.set_enabled(False)
    stack.send(created("while disabled", 2))
    assert stack.poll(handler) == []
    assert stack.queue_length == 0
    stack.set_enabled(True)
    stack.send(created("after", 3))
    stack.poll(handler)
    assert stack.said == ["before", "after"]
    assert (stack.statistics["delivered"], stack.statistics["failed"]) == ("2", "0")


def test_the_events_of_a_removed_plugin_are_dropped(stack: Stack) -> None:
    stack.remove()
    stack.send(created("hello"))
    assert stack.poll(cold_start()) == []
    assert stack.said == []


def test_a_plugin_that_is_disabled_while_it_initializes_gets_no_hook(stack: Stack) -> None:
    stack.plugin("""
        import time
        from tests.integration.plugin_host.stack import Aws

        async def initialize(context):
            Aws().dynamodb.put_item(TableName="plugins", Item={
                "plugin_id": {"S": "my_plugin"}, "record": {"S": "registration"}, "enabled": {"BOOL": False}
            })
            time.sleep(0.25)
            say("disabled")

        async def memory_created(memory, context):
            say(memory.content)
        """)
    stack.send(created("hello"))
    assert stack.poll(cold_start()) == []
    assert stack.said == ["disabled"]
    assert stack.queue_length == 0


def test_a_plugin_is_initialized_once_before_its_first_hook(stack: Stack) -> None:
    stack.plugin(INITIALIZES)
    handler = cold_start()
    stack.send(created("one", 1), created("two", 2))
    stack.poll(handler)
    stack.send(created("three", 3))
    stack.poll(handler)
    assert stack.said == ["initialize", "one", "two", "three"]


def test_an_initialize_that_raises_fails_the_record_and_is_tried_again(stack: Stack) -> None:
    stack.plugin("""
        async def initialize(context):
            say("initialize")
            if (Path(__file__).parent / "said").read_text() == "initialize\\n":
                raise OSError("no database yet")

        async def memory_created(memory, context):
            say(memory.content)
        """)
    stack.send(created("one", 1), created("two", 2))
    assert stack.poll(cold_start()) == [0]
    assert stack.said == ["initialize", "initialize", "two"]
    assert stack.statistics["last_error"] == "initialize: OSError: no database yet"


def test_a_plugin_that_cannot_be_imported_fails_every_record_and_says_why(stack: Stack) -> None:
    stack.plugin("import not_installed")
    stack.send(created("one", 1), created("two", 2))
    handler = cold_start()
    assert stack.poll(handler) == [0, 1]
    fault = "add the package that brings 'not_installed' to requirements.txt"
    assert fault in stack.statistics["last_error"]
    error = act(handler, "describe")["error"]
    assert isinstance(error, dict)
    assert error["type"] == "InvalidPlugin"
    assert fault in str(error["message"])


def test_every_line_of_the_log_names_the_event(stack: Stack) -> None:
    stack.plugin("""
        async def memory_created(memory, context):
            context["logger"].info("seen %s", memory.content)
        """)
    handler = cold_start()
    act(handler, "describe")
    log = io.StringIO()
    (output,) = logging.getLogger("my_plugin").handlers
    assert isinstance(output, logging.StreamHandler)
    output.setStream(log)  # pyright: ignore[reportUnknownMemberType]  # of some stream
    stack.send(created("hello"))
    stack.poll(handler)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["message"], line["hook"], line["event_id"]) for line in lines] == [
        ("seen hello", "memory_created", "01890a5d-ac96-774b-bcce-000000000001"),
        ("delivered", "memory_created", "01890a5d-ac96-774b-bcce-000000000001"),
    ]


def test_an_envelope_of_another_version_fails_and_says_what_to_do(stack: Stack) -> None:
    stack.send({**created("hello"), "version": 2})
    assert stack.poll(cold_start()) == [0]
    assert stack.statistics["last_error"] == (
        "EnvelopeError: event has envelope version 2, this kit reads 1: deploy the plugin again"
    )


def test_a_message_that_is_no_event_fails(stack: Stack) -> None:
    stack.aws.sqs.send_message(QueueUrl=stack.queue_url, MessageBody='"hello"')
    assert stack.poll(cold_start()) == [0]
    assert "it is no JSON object" in stack.statistics["last_error"]


def test_the_arguments_of_a_large_event_are_fetched(stack: Stack) -> None:
    detail = created("hello")
    args = detail.pop("args")
    stack.aws.s3.put_object(Bucket=BUCKET, Key="events/1.json", Body=dumps(args).encode())
    stack.send({**detail, "args_ref": {"bucket": BUCKET, "key": "events/1.json"}})
    assert stack.poll(cold_start()) == []
    assert stack.said == ["hello"]


@pytest.mark.parametrize("end", ["SystemExit(3)", "KeyboardInterrupt", "asyncio.CancelledError"])
def test_a_hook_that_tries_to_end_the_process_fails_its_record_only(stack: Stack, end: str) -> None:
    stack.plugin(f"""
        import asyncio

        async def memory_created(memory, context):
            if memory.content == "bad":
                raise {end}
            say(memory.content)
        """)
    stack.send(created("bad", 1), created("good", 2))
    assert stack.poll(cold_start()) == [0]
    assert stack.said == ["good"]
    assert stack.statistics["failed"] == "1"


def test_a_hook_that_takes_too_long_fails_before_the_time_is_up(stack: Stack) -> None:
    stack.plugin("""
        import asyncio

        async def memory_created(memory, context):
            await asyncio.sleep(30)
        """)
    stack.send(created("hello"))
    assert stack.poll(cold_start(), seconds_left=1.2) == [0]
    assert stack.statistics["last_error"] == "TimeoutError: it took longer than the 0.2 s that were left"


def test_an_event_that_another_invocation_is_at_is_put_off_and_not_counted(stack: Stack) -> None:
    stack.plugin("""
        import time

        async def memory_created(memory, context):
            say("started")
            while not (Path(__file__).parent / "go").exists():
                time.sleep(0.01)
        """)
    first, second = cold_start(), cold_start()
    act(first, "describe")  # only the main thread may prepare for signals
    stack.send(created("hello"))
    running = threading.Thread(target=lambda: stack.poll(first))
    running.start()
    while not stack.said:
        time.sleep(0.01)
    stack.send(created("hello"))
    assert stack.poll(second) == [0]
    (stack.folder / "go").touch()
    running.join()
    assert stack.said == ["started"]
    assert (stack.statistics["delivered"], stack.statistics["failed"]) == ("1", "0")


def test_the_functions_credentials_never_reach_the_statistics(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.plugin("""
        import os

        async def memory_created(memory, context):
            raise RuntimeError(f"key {os.environ['AWS_SECRET_ACCESS_KEY']} " + "x" * 1000)
        """)
    handler = cold_start()
    act(handler, "describe")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    stack.send(created("hello"))
    stack.poll(handler)
    assert stack.statistics["last_error"].startswith("RuntimeError: key [removed] xxx")
    assert len(stack.statistics["last_error"]) == 500
