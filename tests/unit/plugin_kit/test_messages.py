"""What a message asks for; its key is known before the message is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugin_kit.aws import Aws
from plugin_kit.envelope import Event
from plugin_kit.erasures import Erasures
from plugin_kit.errors import EnvelopeError
from plugin_kit.json_types import JsonObject, dumps
from plugin_kit.messages import Message, MessageReader, key_of

NOBODY = Erasures(lambda: Aws().dynamodb, "")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"detail": {"id": "1"}}, "1"),
        ({"detail": {"id": "1", "metadata": {"replay": "r"}}}, "1#r"),
        ({"schedule": "nightly", "id": "e"}, "e"),
        ({"task": "go_on", "id": "t"}, "t"),
        ({"detail": {}}, None),
        ({"detail": 3}, None),
        ({}, None),
    ],
)
def test_deliveries_of_the_same_have_one_key(content: JsonObject, key: str | None) -> None:
    assert key_of(dumps(content)) == key


@pytest.mark.parametrize("body", ["[]", "no json", '"text"'])
def test_what_is_no_message_has_no_key(body: str) -> None:
    assert key_of(body) is None


TASK: JsonObject = {
    "task": "go_on",
    "id": "t",
    "time": "2026-11-22T12:00:00+00:00",
    "since": "2026-11-22T11:00:00+00:00",
    "user_id": "ann",
    "grant": "the grant",
    "metadata": {"caused_by": ["my_plugin"]},
    "arguments": {"part": 3},
}


def test_a_task_comes_with_its_arguments_in_its_users_name() -> None:
    event = Event(
        id="t",
        hook="go_on",
        time=datetime(2026, 11, 22, 12, tzinfo=UTC),
        args={"arguments": {"part": 3}},
        user_id="ann",
        metadata={"caused_by": ["my_plugin"]},
        grant="the grant",
        caused_at=datetime(2026, 11, 22, 11, tzinfo=UTC),
    )
    assert MessageReader(Aws(), "no bucket", NOBODY).read(dumps(TASK)) == Message(event, "task")


def test_a_task_without_arguments_is_malformed() -> None:
    body = dumps({name: value for name, value in TASK.items() if name != "arguments"})
    with pytest.raises(EnvelopeError, match="the call of a task is malformed: KeyError\\('arguments'\\)"):
        MessageReader(Aws(), "no bucket", NOBODY).read(body)
