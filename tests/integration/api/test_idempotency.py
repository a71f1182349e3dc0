"""A request that is sent again with its Idempotency-Key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from memory_server.domain.events import new_id


def test_a_repeated_request_is_answered_as_the_first_one_was(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}
    body = {"content": "once", "allow_duplicate": True}

    first = api.post("/memories", json=body, headers=headers)
    second = api.post("/memories", json=body, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Location"] == first.headers["Location"]
    assert len(api.get("/memories").json()["memories"]) == 1


def test_the_order_of_the_fields_makes_no_other_request(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}

    first = api.post("/memories", json={"content": "x", "metadata": {"a": 1, "b": 2}}, headers=headers)
    second = api.post("/memories", json={"metadata": {"b": 2, "a": 1}, "content": "x"}, headers=headers)

    assert second.json() == first.json()


def test_a_repeated_request_shows_the_memory_as_it_is_by_now(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}
    first = api.post("/memories", json={"content": "x"}, headers=headers)
    api.patch(first.headers["Location"], json={"content": "y"})

    second = api.post("/memories", json={"content": "x"}, headers=headers)

    assert second.status_code == 201
    assert (second.json()["id"], second.json()["content"]) == (first.json()["id"], "y")
    assert second.headers["ETag"] == '"2"'


def test_a_repeated_request_for_what_was_there_already_answers_200_again(api: httpx.Client) -> None:
    api.post("/memories", json={"content": "x"})
    headers = {"Idempotency-Key": new_id()}

    statuses = [api.post("/memories", json={"content": "x"}, headers=headers).status_code for _ in range(2)]

    assert statuses == [200, 200]


def test_a_key_with_another_request_is_refused_and_nothing_is_stored(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}
    api.post("/memories", json={"content": "x"}, headers=headers)

    response = api.post("/memories", json={"content": "y"}, headers=headers)

    assert response.status_code == 422
    assert response.json()["type"].endswith("idempotency-key-reused")
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"
    assert len(api.get("/memories").json()["memories"]) == 1


def test_a_key_of_one_operation_is_not_taken_for_another(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}
    api.post("/memories", json={"content": "x"}, headers=headers)

    assert api.post("/memories/batch", json={"memories": [{"content": "x"}]}, headers=headers).status_code == 422


def test_a_refused_request_does_not_use_its_key_up(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}
    assert api.post("/memories", json={"content": ""}, headers=headers).status_code == 422

    assert api.post("/memories", json={"content": "x"}, headers=headers).status_code == 201


def test_a_repeated_request_whose_memory_is_gone_says_so(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}
    first = api.post("/memories", json={"content": "x"}, headers=headers)
    api.delete(first.headers["Location"])

    second = api.post("/memories", json={"content": "x"}, headers=headers)

    assert second.status_code == 404
    assert first.json()["id"] in second.json()["detail"]


def test_a_repeated_batch_is_answered_as_the_first_one_was(api: httpx.Client) -> None:
    api.post("/memories", json={"content": "b"})
    headers = {"Idempotency-Key": new_id()}
    body = {"memories": [{"content": "a"}, {"content": "b"}]}

    first = api.post("/memories/batch", json=body, headers=headers).json()

    assert [result["status"] for result in first["results"]] == ["created", "existing"]
    assert api.post("/memories/batch", json=body, headers=headers).json() == first


def test_the_same_request_many_times_at_once_stores_one_memory(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_id()}
    body = {"content": "at once", "allow_duplicate": True}

    with ThreadPoolExecutor(8) as pool:
        requests = [pool.submit(api.post, "/memories", json=body, headers=headers) for _ in range(8)]
        answers = [request.result() for request in requests]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(api.get("/memories").json()["memories"]) == 1
