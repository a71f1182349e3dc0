"""Storing a memory."""

from __future__ import annotations

import httpx

from plugin_kit.json_types import JsonObject

FULL = {
    "content": "We chose PostgreSQL for the billing service.",
    "memory_type": "decision",
    "project": "billing",
    "session_id": "monday",
    "tags": ["database", "settled"],
    "importance": 0.8,
    "metadata": {"ticket": "BILL-12", "votes": {"for": 3, "against": 0}, "costs": [1.5, None, True]},
    "expires_at": "2199-01-31T13:00:00+01:00",
}


def test_a_memory_is_stored_with_all_its_fields(api: httpx.Client) -> None:
    response = api.post("/memories", json=FULL)

    assert response.status_code == 201
    memory = response.json()
    assert {name: memory[name] for name in FULL} == FULL | {"expires_at": "2199-01-31T12:00:00Z"}
    assert memory["version"] == 1
    assert memory["created_at"] == memory["updated_at"]
    assert memory["created_at"].endswith("Z")
    assert response.headers["Location"] == f"/memories/{memory['id']}"
    assert response.headers["ETag"] == '"1"'
    assert api.get(response.headers["Location"]).json() == memory


def test_a_memory_needs_no_more_than_its_content(api: httpx.Client) -> None:
    memory = api.post("/memories", json={"content": "x"}).json()

    assert memory["memory_type"] == "knowledge"
    assert (memory["project"], memory["session_id"], memory["expires_at"]) == (None, None, None)
    assert (memory["tags"], memory["metadata"], memory["importance"]) == ([], {}, 0.5)


def test_content_may_fill_64_kib_with_any_characters(api: httpx.Client) -> None:
    content = "\U0001f600" * (16 * 1024 - 1) + "\n\té"
    assert len(content.encode()) == 64 * 1024

    response = api.post("/memories", json={"content": content})

    assert response.status_code == 201
    assert api.get(response.headers["Location"]).json()["content"] == content


def test_metadata_keeps_numbers_of_any_size(api: httpx.Client) -> None:
    metadata: JsonObject = {
        "large": int("9" * 4000),
        "small": 5e-300,
        "negative": -1.25,
        "deep": {"a": [{"b": []}]},
        "": "",
    }

    response = api.post("/memories", json={"content": "numbers", "metadata": metadata})

    assert response.status_code == 201
    assert api.get(response.headers["Location"]).json()["metadata"] == metadata


def test_the_last_moment_there_is_can_be_when_a_memory_expires(api: httpx.Client) -> None:
    response = api.post("/memories", json={"content": "late", "expires_at": "9999-12-31T23:59:59.999999Z"})

    assert api.get(response.headers["Location"]).json()["expires_at"] == "9999-12-31T23:59:59.999999Z"


def test_a_tag_that_comes_twice_counts_once_and_the_order_stays(api: httpx.Client) -> None:
    assert api.post("/memories", json={"content": "x", "tags": ["b", "a", "b"]}).json()["tags"] == ["b", "a"]


def test_the_same_content_in_the_same_project_answers_the_memory_that_is_there(api: httpx.Client) -> None:
    first = api.post("/memories", json={"content": "once", "project": "a", "tags": ["first"]})

    again = api.post("/memories", json={"content": "once", "project": "a", "tags": ["second"]})

    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == '"1"'


def test_the_same_content_in_another_project_is_another_memory(api: httpx.Client) -> None:
    ids = {
        api.post("/memories", json={"content": "once", "project": project}).json()["id"] for project in ("a", "b", None)
    }

    assert len(ids) == 3


def test_a_duplicate_is_stored_where_it_is_asked_for(api: httpx.Client) -> None:
    first = api.post("/memories", json={"content": "once"})

    again = api.post("/memories", json={"content": "once", "allow_duplicate": True})

    assert again.status_code == 201
    assert again.json()["id"] != first.json()["id"]


def test_content_that_was_deleted_can_be_stored_again(api: httpx.Client) -> None:
    first = api.post("/memories", json={"content": "back again"})
    api.delete(first.headers["Location"])

    assert api.post("/memories", json={"content": "back again"}).status_code == 201


def test_a_batch_answers_each_memory_in_order(api: httpx.Client) -> None:
    api.post("/memories", json={"content": "known"})

    response = api.post(
        "/memories/batch", json={"memories": [{"content": text} for text in ("new", "known", "newer", "new")]}
    )

    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["index"] for result in results] == [0, 1, 2, 3]
    assert [result["status"] for result in results] == ["created", "existing", "created", "existing"]
    assert [result["memory"]["content"] for result in results] == ["new", "known", "newer", "new"]
    assert results[0]["memory"]["id"] == results[3]["memory"]["id"]


def test_a_batch_of_1000_is_stored_and_of_1001_is_refused(api: httpx.Client) -> None:
    memories = [{"content": f"memory {number}"} for number in range(1001)]

    refused = api.post("/memories/batch", json={"memories": memories})
    stored = api.post("/memories/batch", json={"memories": memories[:1000]})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/memories"
    assert len({result["memory"]["id"] for result in stored.json()["results"]}) == 1000


def test_a_wrong_memory_in_a_batch_is_named_and_nothing_is_stored(api: httpx.Client) -> None:
    memories = [{"content": "right"}, {"content": "right too"}, {"content": "x", "importance": 2}, {"content": ""}]

    response = api.post("/memories/batch", json={"memories": memories})

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [
        "#/memories/2/importance",
        "#/memories/3/content",
    ]
    assert api.get("/memories").json()["memories"] == []
