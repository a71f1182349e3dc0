"""The audit log: who was denied and who administered, and never with what credential."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest


def audited(caplog: pytest.LogCaptureFixture, request_id: str) -> list[dict[str, Any]]:
    """Return the lines of the audit log about a request, which a server writes when it has answered."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        lines = [vars(record) for record in list(caplog.records)]
        mine = [line for line in lines if line.get("request_id") == request_id]
        if any(line["msg"] == "request" for line in mine):  # the last one about it
            return [line for line in mine if line["msg"] == "audit"]
        time.sleep(0.01)
    raise AssertionError("the request was not logged")


def test_who_was_denied_is_told(api: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    credential = "mms_of_nobody"
    api.get("/memories?tags_any=private", headers={"Authorization": f"Bearer {credential}", "X-Request-ID": "mine"})
    (line,) = audited(caplog, "mine")
    assert (line["outcome"], line["status"], line["method"]) == ("denied", 401, "GET")
    assert credential not in str(line)
    assert "private" not in str(line)


def test_who_administered_is_told(api: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    body = {"user_id": "ada", "scopes": ["memories:read"]}
    made = api.post("/keys", json=body, headers={"X-Request-ID": "mine"}).json()
    (line,) = audited(caplog, "mine")
    assert (line["outcome"], line["route"], line["user_id"]) == ("done", "/keys", api.headers["X-Test-User"])
    assert made["key"] not in str(line)
    assert line["credential_id"] in {key["id"] for key in api.get("/keys").json()["keys"]}


def test_what_everybody_does_is_not(api: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    assert api.get("/memories", headers={"X-Request-ID": "mine"}).status_code == 200
    assert audited(caplog, "mine") == []
