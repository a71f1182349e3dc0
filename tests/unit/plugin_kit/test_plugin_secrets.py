"""A secret's value is had by its name alone."""

from __future__ import annotations

import copy
import json

import pytest

from plugin_kit.plugin_secrets import Secrets

SECRETS = Secrets(["TOKEN", "EMPTY"], {"TOKEN": "abcdef"}.get)


def test_a_value_is_had_by_its_name() -> None:
    assert (SECRETS["TOKEN"], SECRETS.get("TOKEN"), SECRETS.get("EMPTY", "none")) == ("abcdef", "abcdef", "none")
    assert list(SECRETS) == ["TOKEN", "EMPTY"]


@pytest.mark.parametrize("name", ["EMPTY", "OTHER"])
def test_a_name_without_a_value_says_what_to_do(name: str) -> None:
    with pytest.raises(KeyError, match=f"{name}: (add it to|the secret has no value yet: set it)"):
        _ = SECRETS[name]


def test_nothing_else_shows_a_value() -> None:
    shown = [
        str(SECRETS),
        repr(SECRETS),
        f"{SECRETS}",
        json.dumps({"secrets": SECRETS}),
        str(dict(SECRETS)),
        str({**SECRETS}),
        str(SECRETS.copy()),
        str(list(SECRETS.items())),
        str(list(SECRETS.values())),
        str(copy.copy(dict(SECRETS))),
    ]
    assert [text for text in shown if "abcdef" in text] == []
    assert all("TOKEN" in text for text in shown[:8])
