"""Grants say what they say, and nobody but the server can write one."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from memory_server.domain.errors import PermissionDenied
from memory_server.domain.grants import Grant, grant_key, sign, verify

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = grant_key("the server's secret")
GRANT = Grant(
    event_id="0192f0c1-0000-7000-8000-000000000001",
    user_id="ana",
    plugins=("analytics", "backup"),
    expires_at=NOW + timedelta(days=15),
    since=NOW - timedelta(seconds=3),
    caused_by=("tagger",),
)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _claims(token: str) -> dict[str, object]:
    text = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_a_signed_grant_is_verified_for_each_of_its_plugins() -> None:
    token = sign(GRANT, KEY)
    assert verify(token, KEY, plugin_id="analytics", now=NOW) == GRANT
    assert verify(token, KEY, plugin_id="backup", now=NOW) == GRANT


def test_the_claims_are_those_of_the_architecture() -> None:
    assert _claims(sign(GRANT, KEY)) == {
        "event": GRANT.event_id,
        "user": "ana",
        "plugins": ["analytics", "backup"],
        "since": GRANT.since.isoformat(),
        "exp": int(GRANT.expires_at.timestamp()),
        "caused_by": ["tagger"],
    }


def test_a_grant_of_another_plugin_is_refused() -> None:
    with pytest.raises(PermissionDenied):
        verify(sign(GRANT, KEY), KEY, plugin_id="mallory", now=NOW)


def test_a_grant_ends_at_its_time() -> None:
    token = sign(GRANT, KEY)
    assert verify(token, KEY, plugin_id="backup", now=GRANT.expires_at - timedelta(seconds=1))
    with pytest.raises(PermissionDenied):
        verify(token, KEY, plugin_id="backup", now=GRANT.expires_at)


def test_a_grant_of_another_key_is_refused() -> None:
    with pytest.raises(PermissionDenied):
        verify(sign(GRANT, grant_key("another secret")), KEY, plugin_id="backup", now=NOW)


@pytest.mark.parametrize(
    "change",
    [{"user": "bob"}, {"plugins": ["mallory"]}, {"exp": 99_999_999_999}, {"event": "another"}, {"caused_by": []}],
    ids=lambda change: next(iter(change)),
)
def test_claims_cannot_be_changed_under_their_signature(change: dict[str, object]) -> None:
    token = sign(GRANT, KEY)
    forged = _encoded(json.dumps(_claims(token) | change).encode()) + "." + token.split(".")[1]
    plugin_id = "mallory" if "plugins" in change else "backup"
    with pytest.raises(PermissionDenied):
        verify(forged, KEY, plugin_id=plugin_id, now=NOW)


@pytest.mark.parametrize(
    "token", [None, "", ".", "a.b", "a.b.c", "é.é", "not base64!.x", "e30.", _encoded(b"{}") + ".AA"]
)
def test_what_is_no_token_is_refused_with_the_same_words_as_a_forged_one(token: str | None) -> None:
    with pytest.raises(PermissionDenied) as of_nonsense:
        verify(token, KEY, plugin_id="backup", now=NOW)
    with pytest.raises(PermissionDenied) as of_forgery:
        verify(sign(GRANT, b"wrong"), KEY, plugin_id="backup", now=NOW)
    assert str(of_nonsense.value) == str(of_forgery.value)
