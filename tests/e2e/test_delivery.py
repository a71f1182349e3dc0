"""What the server promises of delivery: after a crash between the commit and the bus, and once a plugin is off."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest

from tests.e2e.stack import START_SECONDS, Stack
from tests.e2e.test_events import count, count_within, create

pytestmark = pytest.mark.timeout(START_SECONDS + 100)


def test_the_relay_publishes_what_a_crash_left_between_commit_and_bus(stack: Stack) -> None:
    project = "crashed before publishing"
    emulator = stack.process("infra.local.aws_process")

    emulator.suspend()  # the bus takes nothing; a memory needs none of it to be stored
    create(stack, "written, never published", project)
    unpublished = _unpublished(stack, project)
    stack.kill_all()
    stack.start()

    assert unpublished == 1
    assert count_within(stack, project, expected=1, seconds=20) == 1
    time.sleep(2)
    assert count(stack, project) == 1
    assert _unpublished(stack, project) == 0


def test_no_hook_of_a_plugin_starts_after_disable_has_answered(stack: Stack) -> None:
    project = "written around disable"
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            create(stack, f"memory number {number}", project)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        count_within(stack, project, expected=3, seconds=10)
        stack.http.post("/plugins/disable/memory_analytics").raise_for_status()
        answered = datetime.now(UTC)
        time.sleep(3)
    finally:
        stop.set()
        writer.join()
    status = stack.http.get("/plugins/status/memory_analytics").json()
    counted = count(stack, project)
    stack.http.post("/plugins/enable/memory_analytics").raise_for_status()
    time.sleep(2)

    assert counted >= 3
    # A hook that had started by then may have ended a moment later.
    assert datetime.fromisoformat(status["statistics"]["last_delivered_at"]).timestamp() < answered.timestamp() + 1
    assert count(stack, project) == counted


def _unpublished(stack: Stack, project: str) -> int:
    query = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND event ->> 'project' = %s"
    with psycopg.connect(stack.admin_dsn) as connection:
        row = connection.execute(query, [project]).fetchone()
    return int(row[0]) if row else 0
