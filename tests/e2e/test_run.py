"""Starting, stopping and killing the stack."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import psutil
import pytest

from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 100)


def test_the_second_start_is_ready_within_10_seconds(stack: Stack) -> None:
    stack.stop()

    assert stack.start() < 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process(stack: Stack, number: signal.Signals) -> None:
    processes = stack.processes()

    assert stack.stop(number) == 0
    assert alive(processes) == []
    assert stack.left_behind() == []
    stack.start()


def test_no_process_outlives_a_supervisor_that_was_killed(stack: Stack) -> None:
    processes = stack.processes()

    stack.kill_supervisor()

    assert alive(processes) == []
    assert stack.left_behind() == []
    stack.start()


def test_a_part_that_dies_takes_the_rest_along_and_is_named(stack: Stack) -> None:
    processes = stack.processes()

    stack.process("infra.local.aws_process").kill()

    assert stack.wait() == 1
    assert alive(processes) == []
    assert "the AWS emulator ended with code -9" in stack.output.read_text()
    stack.start()


def test_a_folder_in_use_is_refused_and_its_user_named(stack: Stack, tmp_path: Path) -> None:
    second = Stack(tmp_path)
    second.data_dir = stack.data_dir

    assert second.spawn().wait(30) == 1
    assert f"{stack.data_dir} is in use by process {stack.pid}" in second.output.read_text()


def test_a_port_in_use_is_refused_with_the_way_to_choose_another(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with socket.create_server(("127.0.0.1", stack.port)):
        assert stack.spawn().wait(30) == 1

    assert f"port {stack.port} cannot be used" in stack.output.read_text()
    assert "make run PORT=" in stack.output.read_text()


def test_the_first_start_says_what_it_does_and_what_to_try(stack: Stack) -> None:
    said = stack.output.read_text()

    for step in ("Starting PostgreSQL", "Building functions", "Deploying the stack", "Starting the API"):
        assert f"{step}" in said
    assert f"curl -s {stack.url}/memories" in said


def test_enable_state_and_statistics_outlive_a_kill(stack: Stack) -> None:
    assert stack.http.post("/plugins/disable/memory_analytics").is_success
    before = status(stack)

    stack.kill_all()
    stack.start()

    assert status(stack)["plugin"] == before["plugin"]
    assert status(stack)["statistics"] == before["statistics"]
    assert stack.http.post("/plugins/enable/memory_analytics").is_success


def status(stack: Stack) -> dict[str, object]:
    return stack.http.get("/plugins/status/memory_analytics").raise_for_status().json()


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a killed one may take a moment to be gone, and longer until init has noticed."""
    _, left = psutil.wait_procs(processes, timeout=2)
    return [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
