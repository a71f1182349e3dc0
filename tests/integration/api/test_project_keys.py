"""A key for one project: it sees and writes that project's memories, and for its holder there are no others."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from infra.local.postgres import LocalPostgres
from memory_server.domain.events import new_id
from memory_server.domain.principals import known_scopes
from memory_server.services.keys import KeyDraft
from tests.fixtures.signed_in import Keyring

OUTSIDE = "urn:memory-server:problem:outside-project"


class Signed(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request):  # noqa: ANN201
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


@pytest.fixture
def limited(api: httpx.Client) -> httpx.Auth:
    """A key of the test's user for the project "in" alone."""
    scopes = known_scopes(["memories:read", "memories:write"])
    return Signed(Keyring().make(KeyDraft(user_id=api.headers["X-Test-User"], scopes=scopes, project="in")).text)


@pytest.fixture
def paths(api: httpx.Client) -> dict[str, str]:
    """A memory of the user in each of two projects, and one in none, by project."""
    return {
        project or "none": api.post("/memories", json={"content": f"a lantern {project}", "project": project}).headers[
            "Location"
        ]
        for project in ("in", "out", None)
    }


def test_it_lists_and_finds_its_project_alone(api: httpx.Client, limited: httpx.Auth, paths: dict[str, str]) -> None:
    listed = api.get("/memories", auth=limited).json()["memories"]
    assert [f"/memories/{memory['id']}" for memory in listed] == [paths["in"]]
    for mode in ("hybrid", "semantic", "keyword"):
        hits = api.post("/memories/search", json={"query": "a lantern", "mode": mode}, auth=limited).json()["results"]
        assert [f"/memories/{hit['memory']['id']}" for hit in hits] == [paths["in"]]


def test_a_memory_outside_is_as_if_it_were_not_there(
    api: httpx.Client, limited: httpx.Auth, paths: dict[str, str]
) -> None:
    assert api.get(paths["in"], auth=limited).status_code == 200
    for name in ("out", "none"):
        assert api.get(paths[name], auth=limited).status_code == 404
        assert api.get(f"{paths[name]}/history", auth=limited).status_code == 404
        assert api.patch(paths[name], json={"importance": 1}, auth=limited).status_code == 404
        assert api.delete(paths[name], auth=limited).status_code == 404
        ids = [paths[name].removeprefix("/memories/")]
        assert api.post("/memories/delete", json={"ids": ids}, auth=limited).json()["count"] == 0
    assert api.post("/memories/delete", json={"all": True}, auth=limited).json()["count"] == 1
    assert [api.get(paths[name]).status_code for name in ("in", "out", "none")] == [404, 200, 200]


def test_what_it_stores_is_in_its_project(api: httpx.Client, limited: httpx.Auth) -> None:
    stored = api.post("/memories", json={"content": new_id()}, auth=limited)
    assert (stored.status_code, stored.json()["project"]) == (201, "in")
    path = stored.headers["Location"]
    assert api.patch(path, json={"project": None}, auth=limited).json()["project"] == "in"


def test_naming_another_project_is_refused_and_says_why(
    api: httpx.Client, limited: httpx.Auth, paths: dict[str, str]
) -> None:
    requests = [
        api.post("/memories", json={"content": "x", "project": "out"}, auth=limited),
        api.post("/memories/batch", json={"memories": [{"content": "x", "project": "out"}]}, auth=limited),
        api.patch(paths["in"], json={"project": "out"}, auth=limited),
        api.get("/memories", params={"project": "out"}, auth=limited),
        api.post("/memories/search", json={"query": "x", "project": "out"}, auth=limited),
        api.post("/memories/delete", json={"filter": {"project": "out"}}, auth=limited),
    ]
    assert [(answer.status_code, answer.json().get("type")) for answer in requests] == [(403, OUTSIDE)] * 6


def test_it_learns_nothing_of_an_idempotency_key_that_was_used_outside(api: httpx.Client, limited: httpx.Auth) -> None:
    headers = {"Idempotency-Key": "the-same"}
    assert api.post("/memories", json={"content": "outside", "project": "out"}, headers=headers).status_code == 201
    inside = api.post("/memories", json={"content": "inside"}, headers=headers, auth=limited)
    assert (inside.status_code, inside.json()["content"]) == (201, "inside")


def test_it_cannot_ask_a_plugin_which_knows_no_projects(api: httpx.Client, limited: httpx.Auth) -> None:
    answer = api.get("/plugins/any/notes", auth=limited)
    assert (answer.status_code, answer.json()["type"]) == (403, OUTSIDE)


def test_the_database_holds_the_line_by_itself(
    api: httpx.Client, paths: dict[str, str], postgres: LocalPostgres, database_name: str
) -> None:
    user = api.headers["X-Test-User"]
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        connection.execute("SET LOCAL ROLE memory_app")
        connection.execute("SELECT set_config('app.user_id', %s, true), set_config('app.project', 'in', true)", [user])
        rows = connection.execute("SELECT id::text FROM memories").fetchall()
        assert [f"/memories/{row[0]}" for row in rows] == [paths["in"]]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE memories SET project = 'out'")
