"""Reading, changing and deleting a memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

NOWHERE = "/memories/019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"


def store(api: httpx.Client, **fields: object) -> str:
    """Store a memory and return its path."""
    response = api.post("/memories", json={"content": "as it was", **fields})
    assert response.status_code == 201, response.text
    return response.headers["Location"]


def at_once(request: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Make eight requests at the same time."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(request, range(8)))


def test_a_client_that_has_the_version_gets_304(api: httpx.Client) -> None:
    path = store(api)

    for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
        response = api.get(path, headers={"If-None-Match": tag})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == '"1"'
    assert api.get(path, headers={"If-None-Match": '"2"'}).status_code == 200


def test_a_change_makes_a_new_version_and_leaves_the_other_fields(api: httpx.Client) -> None:
    path = store(api, project="p", tags=["a"], metadata={"k": 1})
    before = api.get(path).json()

    response = api.patch(path, json={"content": "as it is", "importance": 1})

    assert response.status_code == 200
    after = response.json()
    assert response.headers["ETag"] == '"2"'
    assert after["updated_at"] > before["updated_at"]
    changed = {"content": "as it is", "importance": 1.0, "version": 2, "updated_at": after["updated_at"]}
    assert after == before | changed
    assert api.get(path).json() == after


def test_every_field_can_be_changed(api: httpx.Client) -> None:
    path = store(api)
    changes = {
        "content": "b",
        "memory_type": "error",
        "project": "p",
        "session_id": "s",
        "tags": ["t"],
        "importance": 0.1,
        "metadata": {"k": [1]},
        "expires_at": "2199-01-01T00:00:00Z",
    }

    assert changes.items() <= api.patch(path, json=changes).json().items()


def test_null_clears_what_can_be_empty(api: httpx.Client) -> None:
    path = store(api, project="p", session_id="s", expires_at="2199-01-01T00:00:00Z")

    memory = api.patch(path, json={"project": None, "session_id": None, "expires_at": None}).json()

    assert (memory["project"], memory["session_id"], memory["expires_at"]) == (None, None, None)


@pytest.mark.parametrize("field", ["content", "memory_type", "tags", "importance", "metadata"])
def test_null_is_refused_for_what_cannot_be_empty(api: httpx.Client, field: str) -> None:
    response = api.patch(store(api), json={field: None})

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_metadata_is_replaced_as_a_whole(api: httpx.Client) -> None:
    path = store(api, metadata={"a": 1, "b": 2})

    assert api.patch(path, json={"metadata": {"c": 3}}).json()["metadata"] == {"c": 3}


def test_a_number_becomes_a_truth_value_although_python_holds_them_equal(api: httpx.Client) -> None:
    path = store(api, metadata={"done": 1})

    assert api.patch(path, json={"metadata": {"done": True}}).json()["metadata"] == {"done": True}


def test_a_change_that_changes_nothing_makes_no_version(api: httpx.Client) -> None:
    path = store(api, tags=["a"], metadata={"b": 1, "a": 2})

    for body in ({}, {"content": "as it was", "tags": ["a"], "metadata": {"a": 2, "b": 1}, "project": None}):
        assert api.patch(path, json=body).json()["version"] == 1
    assert api.get(f"{path}/history").json() == {"versions": []}


def test_a_change_is_made_only_to_the_version_that_if_match_names(api: httpx.Client) -> None:
    path = store(api)

    assert api.patch(path, json={"importance": 0.1}, headers={"If-Match": '"1"'}).status_code == 200
    late = api.patch(path, json={"importance": 0.2}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    assert late.json()["type"].endswith("version-conflict")
    assert api.patch(path, json={"importance": 0.3}, headers={"If-Match": "*"}).json()["version"] == 3


@pytest.mark.parametrize("tag", ['W/"1"', '"another"', '"01"', '"0"', '""', f'"{10**30}"'])
def test_a_tag_that_is_weak_or_not_ours_matches_nothing(api: httpx.Client, tag: str) -> None:
    path = store(api)

    assert api.patch(path, json={"importance": 0.1}, headers={"If-Match": tag}).status_code == 412
    assert api.delete(path, headers={"If-Match": tag}).status_code == 412
    assert api.get(path).json()["version"] == 1


@pytest.mark.parametrize("header", ["1", '"1', '"1", "2"', "", "* ,"])
def test_an_if_match_that_cannot_be_read_is_named(api: httpx.Client, header: str) -> None:
    response = api.patch(store(api), json={"importance": 0.1}, headers={"If-Match": header})

    assert response.status_code == 422
    assert (response.json()["errors"][0]["field"], response.json()["errors"][0]["in"]) == ("If-Match", "header")


def test_content_cannot_be_changed_to_that_of_another_memory(api: httpx.Client) -> None:
    other = store(api, content="taken", project="p")
    path = store(api, content="mine", project="p")
    elsewhere = store(api, content="taken", project="q")

    response = api.patch(path, json={"content": "taken"})

    assert response.status_code == 409
    assert response.json()["memory_id"] == other.removeprefix("/memories/")
    assert api.patch(elsewhere, json={"project": "p"}).status_code == 409
    assert api.get(path).json()["content"] == "mine"


def test_changes_at_once_without_if_match_are_all_made(api: httpx.Client) -> None:
    path = store(api)

    answers = at_once(lambda n: api.patch(path, json={"content": f"by {n}"}))

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 10))


def test_of_changes_at_once_with_the_same_if_match_one_is_made(api: httpx.Client) -> None:
    path = store(api)

    answers = at_once(lambda n: api.patch(path, json={"content": f"by {n}"}, headers={"If-Match": '"1"'}))

    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]


def test_the_history_has_each_version_before_the_present_one(api: httpx.Client) -> None:
    path = store(api, content="one")
    api.patch(path, json={"content": "two"})
    api.patch(path, json={"importance": 0.9})

    versions = api.get(f"{path}/history").json()["versions"]

    assert [(v["memory"]["version"], v["memory"]["content"], v["replaced_by"]) for v in versions] == [
        (2, "two", "update"),
        (1, "one", "update"),
    ]
    assert versions[0]["memory"]["importance"] == 0.5


def test_the_history_outlives_the_memory(api: httpx.Client) -> None:
    path = store(api)
    assert api.delete(path).status_code == 204

    versions = api.get(f"{path}/history").json()["versions"]

    assert [(v["memory"]["version"], v["replaced_by"]) for v in versions] == [(1, "delete")]


def test_a_deleted_memory_is_gone(api: httpx.Client) -> None:
    path = store(api)

    first = api.delete(path)
    assert (first.status_code, first.content) == (204, b"")
    assert [api.delete(path).status_code, api.get(path).status_code, api.patch(path, json={}).status_code] == [404] * 3


def test_a_memory_that_changed_is_not_deleted_by_its_old_version(api: httpx.Client) -> None:
    path = store(api)
    api.patch(path, json={"importance": 0.1})

    assert api.delete(path, headers={"If-Match": '"1"'}).status_code == 412
    assert api.delete(path, headers={"If-Match": '"2"'}).status_code == 204


@pytest.mark.parametrize("path", [NOWHERE, "/memories/1", "/memories/%00", "/memories/\u00e9\u20ac"])
def test_a_memory_that_is_not_there_is_not_found(api: httpx.Client, path: str) -> None:
    answers = [
        api.get(path),
        api.patch(path, json={"importance": 0.1}),
        api.delete(path),
        api.get(f"{path}/history"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert all(answer.headers["Content-Type"] == "application/problem+json" for answer in answers)


def test_an_id_is_the_same_in_capitals(api: httpx.Client) -> None:
    path = store(api)

    assert api.get("/memories/" + path.removeprefix("/memories/").upper()).status_code == 200


def test_many_are_deleted_by_their_ids(api: httpx.Client) -> None:
    ids = [store(api, content=str(n)).removeprefix("/memories/") for n in range(3)]
    missing = NOWHERE.removeprefix("/memories/")

    response = api.post("/memories/delete", json={"ids": [ids[0], ids[1].upper(), missing, ids[0]]})

    assert response.status_code == 200
    assert response.json()["count"] == 2
    assert set(response.json()["ids"]) == set(ids[:2])
    assert [memory["id"] for memory in api.get("/memories").json()["memories"]] == ids[2:]


def test_many_are_deleted_by_a_filter_after_a_look_at_what_it_finds(api: httpx.Client) -> None:
    for n in range(3):
        store(api, content=str(n), project="old", metadata={"n": n})
    store(api, content="kept", project="new")
    body = {"filter": {"project": "old", "metadata": {"n": 1}}}

    looked = api.post("/memories/delete", json={**body, "dry_run": True}).json()
    assert (looked["dry_run"], looked["count"]) == (True, 1)
    assert len(api.get("/memories").json()["memories"]) == 4

    assert api.post("/memories/delete", json=body).json() == {**looked, "dry_run": False}
    assert api.post("/memories/delete", json={"filter": {"project": "old"}}).json()["count"] == 2
    assert [memory["content"] for memory in api.get("/memories").json()["memories"]] == ["kept"]


def test_all_are_deleted_when_that_is_said(api: httpx.Client) -> None:
    store(api, content="a")
    store(api, content="b", project="p")

    assert api.post("/memories/delete", json={"all": True}).json()["count"] == 2
    assert api.get("/memories").json()["memories"] == []
