"""A user learns who they are here, and what they have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from memory_server.domain.principals import SCOPES, known_scopes
from memory_server.services.keys import KeyDraft
from tests.fixtures.signed_in import Keyring


def test_a_user_learns_what_they_may_and_have(api: httpx.Client) -> None:
    path = api.post("/memories", json={"content": "five!", "tags": ["a"]}).headers["Location"]
    api.patch(path, json={"content": "fifteen, no less"})
    me = api.get("/me").json()
    assert me["user_id"] == api.headers["X-Test-User"]
    assert me["scopes"] == list(SCOPES)
    assert (me["project"], me["expires_at"]) == (None, None)
    assert me["usage"] == {"memories": 1, "bytes": 19, "history_bytes": 8}
    assert me["limits"] == {"memories": None, "bytes": None, "requests_a_minute": None}


def test_any_credential_tells_of_itself_and_one_of_a_project_of_nothing_else(api: httpx.Client) -> None:
    api.post("/memories", json={"content": "outside"})
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    new = Keyring().make(
        KeyDraft(
            user_id=api.headers["X-Test-User"],
            scopes=known_scopes(["memories:write"]),
            project="in",
            expires_at=ends,
            requests_a_minute=7,
        )
    )
    answer = api.get("/me", headers={"Authorization": f"Bearer {new.text}"})
    me = answer.json()
    assert (me["key_id"], me["scopes"], me["project"]) == (new.key.key_id, ["memories:write"], "in")
    assert datetime.fromisoformat(me["expires_at"]) == ends
    assert me["usage"] is None
    assert me["limits"]["requests_a_minute"] == 7
    assert new.text.rpartition("_")[2] not in answer.text
