"""What a plugin's process writes is bounded before it reaches the emulator's memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from infra.local.aws_streams import bound

MEGABYTE = 1024 * 1024


@contextmanager
def writing(code: str) -> Generator[subprocess.Popen[str]]:
    """A process of ``code`` whose streams are bound."""
    command = [sys.executable, "-c", f"import os, sys, time; {code}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        streams = process.stdout, process.stderr
        bound(process)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout, process.stderr = streams


def test_answers_come_line_by_line() -> None:
    with writing("print('one'); print('two' * 1000)") as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == ["one\n", "two" * 1000 + "\n", ""]


def test_an_answer_that_does_not_end_ends_the_process() -> None:
    with writing(f"[os.write(1, b'x' * {MEGABYTE}) for _ in range(100)]; time.sleep(60)") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == ""
        assert process.wait(10) == -9


def test_a_flood_of_log_is_thrown_away_beyond_a_megabyte_and_does_not_hold_the_process_up() -> None:
    with writing(f"[os.write(2, b'x' * 1000 + b'\\n') for _ in range({20 * MEGABYTE // 1000})]") as process:
        assert process.stderr is not None
        read = sum(len(line) for line in process.stderr)
        assert process.wait(10) == 0
        assert 900_000 < read < 4 * MEGABYTE


def test_a_line_of_log_without_an_end_is_read_in_pieces() -> None:
    with writing(f"os.write(2, b'x' * {MEGABYTE // 2})") as process:
        assert process.stderr is not None
        assert max(len(piece) for piece in process.stderr) <= 64 * 1024
