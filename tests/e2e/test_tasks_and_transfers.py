"""A plugin's tasks, files and bulk transfers on a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.stack import START_SECONDS, Stack
from tests.e2e.together import wait

pytestmark = pytest.mark.timeout(START_SECONDS + 120)

MOVER = Path(__file__).parent / "mover"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("mover")
    settings = folder / "settings.yaml"
    settings.write_text(yaml.safe_dump({"plugins": {"auto_load": False, "plugins": [str(MOVER)]}}))
    stack = Stack(folder, settings)
    stack.start()
    try:
        yield stack
    finally:
        stack.close()


def notes(server: Stack) -> dict[str, Any]:
    return server.http.get("/plugins/mover/notes").raise_for_status().json()


def post(server: Stack, path: str) -> dict[str, Any]:
    return server.http.post(f"/plugins/mover{path}").raise_for_status().json()


def listed(server: Stack) -> dict[str, Any]:
    page = server.http.get("/memories", params={"limit": 100}).raise_for_status().json()
    return {memory["id"]: memory for memory in page["memories"]}


def test_what_was_taken_and_deleted_comes_back_through_tasks_and_can_be_downloaded(server: Stack) -> None:
    for number in range(20):
        body = {"content": f"memory {number} \u2028 of the mover", "tags": [f"t{number}"]}
        server.http.post("/memories", json=body).raise_for_status()
    before = listed(server)
    assert len(before) == 20

    post(server, "/take")
    wait(lambda: "taken" in notes(server), seconds=60)
    taken = notes(server)["taken"]
    assert (taken["steps"], taken["snapshot"]["memories"], taken["snapshot"]["error"]) == ("done", 20, None)

    url = server.http.get("/plugins/mover/link").raise_for_status().json()["url"]
    copy = httpx.get(url, timeout=30).raise_for_status()
    assert len(copy.content) == taken["size"]
    assert "copy%201.jsonl" in copy.headers["content-disposition"]
    assert {json.loads(line)["id"] for line in copy.content.splitlines()} == set(before)
    for changed in (
        url.replace("copy.jsonl", "other.jsonl"),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
        url.partition("?")[0],
        url[:-1] + ("0" if url[-1] != "0" else "1"),
    ):
        assert httpx.get(changed, timeout=30).status_code == 403
    assert httpx.put(url, content=b"x", timeout=30).status_code == 403

    for memory_id in before:
        server.http.delete(f"/memories/{memory_id}").raise_for_status()
    assert listed(server) == {}
    post(server, "/load")
    wait(lambda: "loaded" in notes(server), seconds=60)
    assert notes(server)["loaded"]["load"]["created"] == 20
    assert listed(server) == before
    post(server, "/load")
    assert listed(server) == before


def test_every_user_gets_a_task(server: Stack) -> None:
    assert post(server, "/everybody") == {"users": 1}
    wait(lambda: "noted local" in notes(server), seconds=30)


def test_files_outlive_the_server_whatever_ended_it(server: Stack) -> None:
    post(server, "/keep")
    server.kill_all()
    server.start()
    url = server.http.get("/plugins/mover/link").raise_for_status().json()["url"]
    assert httpx.get(url, timeout=30).raise_for_status().content == b"kept"
