"""A record that ends the process is told of, and takes no other record along for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from plugin_kit.json_types import dumps
from plugin_kit.outcomes import DIED
from tests.integration.plugin_host.environment_process import ANSWER
from tests.integration.plugin_host.stack import Stack, created

REPOSITORY = Path(__file__).parents[3]
SECONDS_LEFT = 3.0
EXITS_AT_POISON = """
import os

async def memory_created(memory, context):
    say(memory.content)
    if memory.content == "poison":
        os._exit(1)
"""


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The stack in a moto of its own process's making, so that other processes can use it too."""
    server = ThreadedMotoServer(port=0)
    server.start()
    _, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()  # noqa: S310  # moto's
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        yield Stack(tmp_path)
    finally:
        server.stop()


def invoke(stack: Stack) -> bool:
    """Hand what is in the queue to a new process, as Lambda does; return whether the process survived.

    Where it did not, its messages come again once its time is over, as they do when their visibility timeout ends.
    """
    began = time.monotonic()
    records = stack.receive()
    ended = subprocess.run(
        [sys.executable, "-m", "tests.integration.plugin_host.environment_process"],
        input=dumps({"Records": records}),
        env={**os.environ, **stack.environment, "SECONDS_LEFT": str(SECONDS_LEFT)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if ended.returncode == 0:
        assert f'{ANSWER}{{"batchItemFailures": []}}' in ended.stdout
        for record in records:
            stack.aws.sqs.delete_message(QueueUrl=stack.queue_url, ReceiptHandle=str(record["receiptHandle"]))
        return True
    assert ended.returncode in (1, -9), ended.stderr
    time.sleep(max(0.0, SECONDS_LEFT + 1 - (time.monotonic() - began)))
    for record in records:
        stack.change_visibility(str(record["receiptHandle"]))
    return False


def test_a_record_that_ends_the_process_is_run_last_and_counted_and_the_others_complete(stack: Stack) -> None:
    stack.plugin(EXITS_AT_POISON)
    stack.send(created("before", 1), created("poison", 2), created("after", 3))

    assert not invoke(stack)
    assert (stack.said, stack.statistics) == (["before", "poison"], {})

    assert not invoke(stack)
    assert stack.said == ["before", "poison", "after", "poison"]
    statistics = stack.statistics
    assert (statistics["delivered"], statistics["failed"]) == ("2", "1")
    assert statistics["last_error"] == DIED
    assert stack.queue_length == 1

    stack.plugin(EXITS_AT_POISON.replace("os._exit(1)", "say('cured')"))
    assert invoke(stack)
    assert stack.said[4:] == ["poison", "cured"]
    assert stack.queue_length == 0
    statistics = stack.statistics
    assert (statistics["delivered"], statistics["failed"], statistics["consecutive_failures"]) == ("3", "2", "0")
    log = [(entry["event_id"][-1], entry["attempt"], entry["result"], entry.get("error")) for entry in stack.log]
    assert sorted(log) == [
        ("1", "1", "delivered", None),
        ("2", "1", "failed", DIED),
        ("2", "2", "failed", DIED),
        ("2", "3", "delivered", None),
        ("3", "2", "delivered", None),
    ]


@pytest.mark.parametrize("place", ["initialize", "import"])
def test_a_process_that_ends_before_the_hook_is_told_of_too(stack: Stack, place: str) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    hook = "async def memory_created(memory, context):\n    say(memory.content)"
    stack.plugin(f"{kill}\n{hook}" if place == "import" else f"async def initialize(context):\n    {kill}\n{hook}")
    stack.send(created("hello"))
    assert not invoke(stack)
    stack.plugin(hook)
    assert invoke(stack)
    assert stack.said == ["hello"]
    assert (stack.statistics["delivered"], stack.statistics["failed"]) == ("1", "1")
    assert stack.statistics["last_error"] == DIED
