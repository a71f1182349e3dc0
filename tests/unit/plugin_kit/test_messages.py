"""The key of a message is known before the message is read."""

from __future__ import annotations

import pytest

from plugin_kit.json_types import JsonObject, dumps
from plugin_kit.messages import key_of


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"detail": {"id": "1"}}, "1"),
        ({"detail": {"id": "1", "metadata": {"replay": "r"}}}, "1#r"),
        ({"schedule": "nightly", "id": "e"}, "e"),
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
