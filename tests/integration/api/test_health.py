"""Alive, and ready."""

from __future__ import annotations

import httpx

from tests.fixtures.aws import BUS, AwsStack
from tests.fixtures.embedder_function import EmbedderFunction


def test_a_server_whose_parts_answer_is_ready(api: httpx.Client) -> None:
    assert api.get("/health").json() == {"status": "ok"}

    response = api.get("/health/ready")

    assert response.status_code == 200
    parts = response.json()["parts"]
    assert parts.keys() == {"database", "embedder", "bus", "state"}
    assert all(part["status"] == "ok" and part["latency_ms"] > 0 for part in parts.values())


def test_a_part_that_does_not_answer_is_named(api: httpx.Client, embedder_function: EmbedderFunction) -> None:
    embedder_function.away = True
    try:
        response = api.get("/health/ready")
    finally:
        embedder_function.away = False

    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    problem = response.json()
    assert problem["detail"] == "missing: embedder"
    assert {name: part["status"] for name, part in problem["parts"].items()} == {
        "database": "ok",
        "embedder": "missing",
        "bus": "ok",
        "state": "ok",
    }
    assert api.get("/health").status_code == 200
    assert api.get("/health/ready").status_code == 200


def test_every_part_that_does_not_answer_is_named(
    api: httpx.Client, stack: AwsStack, embedder_function: EmbedderFunction
) -> None:
    stack.clients.events.delete_event_bus(Name=BUS)
    embedder_function.away = True
    try:
        assert api.get("/health/ready").json()["detail"] == "missing: embedder, bus"
    finally:
        embedder_function.away = False
        stack.clients.events.create_event_bus(Name=BUS)
