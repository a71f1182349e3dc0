"""Two users: neither sees, changes, finds or learns of what the other has."""

from __future__ import annotations

from collections.abc import Callable, Generator

import httpx
import pytest

from memory_server.domain.events import new_id


class _As(httpx.Auth):
    def __init__(self, user: str) -> None:
        self._user = user

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["X-Test-User"] = self._user
        yield request


@pytest.fixture
def ada() -> httpx.Auth:
    return _As(new_id())


@pytest.fixture
def bob() -> httpx.Auth:
    return _As(new_id())


@pytest.fixture
def path(api: httpx.Client, ada: httpx.Auth) -> str:
    """Where Ada's one memory is."""
    body = {"content": "Ada's secret is a lighthouse", "project": "p", "tags": ["t"]}
    return api.post("/memories", json=body, auth=ada).headers["Location"]


REQUESTS: list[Callable[[httpx.Client, str, httpx.Auth], httpx.Response]] = [
    lambda api, path, user: api.get(path, auth=user),
    lambda api, path, user: api.get(path, headers={"If-None-Match": '"1"'}, auth=user),
    lambda api, path, user: api.get(f"{path}/history", auth=user),
    lambda api, path, user: api.patch(path, json={"importance": 1}, auth=user),
    lambda api, path, user: api.patch(path, json={}, headers={"If-Match": '"7"'}, auth=user),
    lambda api, path, user: api.delete(path, auth=user),
    lambda api, path, user: api.delete(path, headers={"If-Match": '"7"'}, auth=user),
]


@pytest.mark.parametrize("request_by", REQUESTS)
def test_what_another_has_is_as_if_it_were_not_there(
    api: httpx.Client,
    ada: httpx.Auth,
    bob: httpx.Auth,
    path: str,
    request_by: Callable[[httpx.Client, str, httpx.Auth], httpx.Response],
) -> None:
    nowhere = f"/memories/{new_id()}"

    theirs, missing = request_by(api, path, bob), request_by(api, nowhere, bob)

    assert (theirs.status_code, missing.status_code) == (404, 404)
    assert theirs.text.replace(path, nowhere).replace(path[10:], nowhere[10:]) == missing.text
    assert api.get(path, auth=ada).json()["version"] == 1


def test_another_lists_and_finds_nothing(api: httpx.Client, bob: httpx.Auth, path: str) -> None:
    assert path
    assert api.get("/memories", auth=bob).json() == {"memories": [], "next_cursor": None}
    for mode in ("hybrid", "semantic", "keyword"):
        body = {"query": "Ada's secret is a lighthouse", "mode": mode}
        assert api.post("/memories/search", json=body, auth=bob).json()["results"] == []


def test_another_deletes_nothing(api: httpx.Client, ada: httpx.Auth, bob: httpx.Auth, path: str) -> None:
    for body in ({"ids": [path.removeprefix("/memories/")]}, {"filter": {"project": "p"}}, {"all": True}):
        for dry_run in (True, False):
            answer = api.post("/memories/delete", json={**body, "dry_run": dry_run}, auth=bob).json()
            assert (answer["count"], answer["ids"]) == (0, [])
    assert api.get(path, auth=ada).status_code == 200


def test_the_same_content_of_two_users_is_two_memories(api: httpx.Client, bob: httpx.Auth, path: str) -> None:
    body = {"content": "Ada's secret is a lighthouse", "project": "p"}

    response = api.post("/memories", json=body, auth=bob)

    assert response.status_code == 201
    assert response.headers["Location"] != path


def test_an_idempotency_key_is_its_users_alone(api: httpx.Client, ada: httpx.Auth, bob: httpx.Auth) -> None:
    headers = {"Idempotency-Key": "the-same"}

    of_ada = api.post("/memories", json={"content": "a"}, headers=headers, auth=ada)
    of_bob = api.post("/memories", json={"content": "b"}, headers=headers, auth=bob)

    assert (of_ada.status_code, of_bob.status_code) == (201, 201)
    assert of_bob.json()["content"] == "b"


def test_a_cursor_of_another_leads_to_ones_own_memories(
    api: httpx.Client, ada: httpx.Auth, bob: httpx.Auth, path: str
) -> None:
    api.post("/memories", json={"content": "Bob's"}, auth=bob)
    api.post("/memories", json={"content": "Ada's second"}, auth=ada)
    cursor = api.get("/memories", params={"limit": "1"}, auth=ada).json()["next_cursor"]

    page = api.get("/memories", params={"cursor": cursor}, auth=bob).json()

    assert path
    assert [memory["content"] for memory in page["memories"]] == ["Bob's"]
