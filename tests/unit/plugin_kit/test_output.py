"""What a plugin writes is bounded, kept where it is asked for, and shows no secret."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from plugin_kit.output import LIMIT, MAX_KEPT, MAX_KEPT_LINES, Output
from plugin_kit.redaction import RedactedStream, Redaction


class World:
    """The output of a plugin, and the log that the host's handler writes."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        host = logging.Logger("the_host")  # noqa: LOG001  # one that no other test knows
        host.manager = logging.Manager(logging.root)  # pyright: ignore[reportAttributeAccessIssue]
        host.addHandler(logging.StreamHandler(self.log))
        self.redact = Redaction()
        self.output = Output(host, self.redact)


@pytest.fixture
def world() -> World:
    return World()


def test_prints_are_kept_by_the_line(world: World) -> None:
    with world.output.kept() as lines, world.output.taken():
        print("one", 1)  # noqa: T201  # as a plugin does
        print("two", end="")  # noqa: T201
    assert lines == ["one 1", "two"]


def test_no_more_is_kept_than_there_is_room_for(world: World) -> None:
    with world.output.kept() as lines, world.output.taken():
        for _ in range(MAX_KEPT_LINES + 1):
            print("x" * 200)  # noqa: T201
    assert len(lines) <= MAX_KEPT_LINES
    assert sum(map(len, lines)) == MAX_KEPT


def test_what_is_written_at_other_times_is_not_kept(world: World) -> None:
    with world.output.kept() as lines:
        pass
    world.output.logger.warning("later")
    assert lines == []
    assert world.log.getvalue() == "later\n"


def test_a_flood_is_cut_in_the_middle_and_said_to_be_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with world.output.taken():
        sys.stdout.write("a" * (LIMIT - 1))
        sys.stdout.write("bc")
        world.output.logger.error("not this")
    assert capsys.readouterr().out == "a" * (LIMIT - 1) + "b"
    assert world.log.getvalue() == "the plugin wrote more than 256 KB at once: the rest is cut\n"


def test_the_next_invocation_may_write_again(world: World) -> None:
    world.output.take(LIMIT + 1)
    world.output.begin()
    world.output.logger.warning("again")
    assert "again" in world.log.getvalue()


def test_a_line_whose_arguments_do_not_fit_is_counted_all_the_same(world: World) -> None:
    with world.output.kept() as lines:
        world.output.logger.handlers[0].handle(
            logging.makeLogRecord({"msg": "%d", "args": ("x",), "levelname": "INFO"})
        )
    assert lines == ["INFO %d"]


def test_what_is_hidden_is_taken_out_as_it_is_and_as_json_writes_it() -> None:
    redact, stream = Redaction(), io.StringIO()
    redact.hide(['pass"word', "abc"])
    RedactedStream(stream, redact).write('pass"word and {"a": "pass\\"word"} and abc')
    assert stream.getvalue() == '[removed] and {"a": "[removed]"} and abc'
