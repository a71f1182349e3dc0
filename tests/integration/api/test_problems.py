"""Errors that are not a field's, and the headers of every answer."""

from __future__ import annotations

import time

import httpx
import psycopg
import pytest
from psycopg import sql

from infra.local.postgres import LocalPostgres
from memory_api.middleware import MAX_BODY_BYTES

JSON = {"Content-Type": "application/json"}


def test_a_path_that_is_not_there_is_a_problem(api: httpx.Client) -> None:
    for path in ("/nothing", "/", "/memories/", "/memories/a/b", "/plugins", "/plugins/list/"):
        response = api.get(path)
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json().keys() == {"type", "title", "status", "detail", "instance"}
        assert response.json()["instance"] == path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/memories", "GET, POST"),
        ("POST", "/memories/019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40", "DELETE, GET, PATCH"),
        ("GET", "/memories/search", "POST"),
        ("PATCH", "/memories/batch", "POST"),
        ("GET", "/plugins/enable/x", "POST"),
        ("DELETE", "/health", "GET"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_a_problem(
    api: httpx.Client, method: str, path: str, allowed: str
) -> None:
    response = api.request(method, path)

    assert response.status_code == 405
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_is_not_json_is_of_the_wrong_type(api: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    response = api.post("/memories", content=b'{"content": "x"}', headers=headers)

    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused(api: httpx.Client, announced: bool) -> None:
    body = b'{"content": "' + b"x" * MAX_BODY_BYTES + b'"}'

    response = api.post("/memories", content=body if announced else iter([body]), headers=JSON)

    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"
    assert api.get("/health").status_code == 200


def test_a_request_keeps_its_id_and_one_without_gets_one(api: httpx.Client) -> None:
    assert api.get("/health", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    made = {api.get(path).headers["X-Request-ID"] for path in ("/health", "/health", "/nothing")}
    assert len(made) == 3
    assert len(api.get("/health", headers={"X-Request-ID": "x" * 129}).headers["X-Request-ID"]) == 36


def test_an_error_that_nobody_expected_says_where_the_logs_tell_of_it_and_no_more(
    api: httpx.Client, postgres: LocalPostgres, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(postgres.dsn(database_name), autocommit=True) as administrator:
        administrator.execute("ALTER TABLE memories RENAME TO lost")
        try:
            response = api.get("/memories")
        finally:
            administrator.execute("ALTER TABLE lost RENAME TO memories")

    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem.keys() == {"type", "title", "status", "instance", "error_id"}
    (record,) = [record for record in caplog.records if record.message == "internal error"]
    assert vars(record)["error_id"] == problem["error_id"]
    assert "UndefinedTable" in caplog.text
    assert api.get("/memories").status_code == 200


def test_a_database_that_is_away_is_named_and_found_again(
    api: httpx.Client, postgres: LocalPostgres, database_name: str
) -> None:
    assert api.get("/memories").status_code == 200
    name = sql.Identifier(database_name)
    with psycopg.connect(postgres.admin_dsn, autocommit=True) as administrator:
        administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database_name]
        )
        try:
            response, ready = api.get("/memories"), api.get("/health/ready")
        finally:
            administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))

    assert (response.status_code, ready.status_code) == (503, 503)
    assert int(response.headers["Retry-After"]) > 0
    assert "database" in response.json()["detail"]
    assert ready.json()["detail"] == "missing: database"
    until = time.monotonic() + 10
    while api.get("/memories").status_code != 200 and time.monotonic() < until:
        time.sleep(0.1)
    assert api.get("/memories").status_code == 200
