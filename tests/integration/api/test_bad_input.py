"""Every bad input is refused with a 4xx that names the field, and nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

JSON = {"Content-Type": "application/json"}
LONE = "\\ud800"
NUL = "\\u0000"

# A field, and JSON text that it does not take.
FIELDS = [
    ("content", '""'),
    ("content", "null"),
    ("content", "7"),
    ("content", f'"{NUL}"'),
    ("content", f'"{LONE}"'),
    ("content", json.dumps("x" * (64 * 1024 + 1))),
    ("content", json.dumps("é" * (32 * 1024 + 1))),
    ("memory_type", '"dream"'),
    ("memory_type", "null"),
    ("project", '""'),
    ("project", f'"a{NUL}"'),
    ("project", f'"{LONE}"'),
    ("project", json.dumps("x" * 201)),
    ("session_id", '""'),
    ("session_id", f'"{NUL}"'),
    ("session_id", json.dumps("x" * 201)),
    ("tags", '"tag"'),
    ("tags", "null"),
    ("tags", json.dumps([str(n) for n in range(51)])),
    ("tags.1", '["a", ""]'),
    ("tags.0", "[null]"),
    ("tags.0", f'["{NUL}"]'),
    ("tags.0", f'["{LONE}"]'),
    ("tags.0", json.dumps(["x" * 101])),
    ("importance", "1.01"),
    ("importance", "-0.01"),
    ("importance", '"0.5"'),
    ("importance", "true"),
    ("importance", "NaN"),
    ("importance", "Infinity"),
    ("importance", "null"),
    ("metadata", "[]"),
    ("metadata", '"text"'),
    ("metadata", "null"),
    ("metadata", '{"a": NaN}'),
    ("metadata", '{"a": [-Infinity]}'),
    ("metadata", '{"a": 1e999}'),
    ("metadata", f'{{"a": "{NUL}"}}'),
    ("metadata", f'{{"{NUL}": 1}}'),
    ("metadata", f'{{"a": {{"b": ["{LONE}"]}}}}'),
    ("metadata", f'{{"{LONE}": 1}}'),
    ("metadata", '{"a":' * 33 + "1" + "}" * 33),
    ("metadata", '{"a":' + "[" * 500 + "]" * 500 + "}"),
    ("metadata", json.dumps({"a": "x" * 16 * 1024})),
    ("expires_at", '"2020-01-01T00:00:00Z"'),
    ("expires_at", '"2199-01-01T00:00:00"'),
    ("expires_at", '"2199-01-01"'),
    ("expires_at", '"9999-12-31T23:59:59-23:59"'),
    ("expires_at", '"0001-01-01T00:00:00+23:59"'),
    ("expires_at", '"tomorrow"'),
    ("expires_at", "4102444800"),
    ("user_id", '"somebody"'),
    ("id", '"019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"'),
]
ONLY_IN_POST = [("allow_duplicate", '"yes"'), ("allow_duplicate", "1"), ("allow_duplicate", "null")]


def refused(response: httpx.Response, field: str, where: str = "body") -> None:
    """Hold that the problem names ``field`` and no other."""
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert {(error["field"], error["in"]) for error in problem["errors"]} == {(field, where)}, problem
    assert all(error["detail"] for error in problem["errors"])
    if where == "body":
        expected = "#" if field == "body" else "#/" + field.replace(".", "/")
        assert problem["errors"][0]["pointer"] == expected


def body_with(field: str, text: str, **others: str) -> str:
    """Return a JSON object whose ``field`` is the JSON ``text``."""
    fields = {**others, field.partition(".")[0]: text}
    return "{" + ",".join(f'"{name}": {value}' for name, value in fields.items()) + "}"


@pytest.mark.parametrize(("field", "text"), FIELDS + ONLY_IN_POST)
def test_a_wrong_field_of_a_new_memory_is_named(api: httpx.Client, field: str, text: str) -> None:
    body = body_with(field, text, content='"right"')

    refused(api.post("/memories", content=body, headers=JSON), field)
    batch = '{"memories": [{"content": "right"}, ' + body + "]}"
    refused(api.post("/memories/batch", content=batch, headers=JSON), f"memories.1.{field}")
    assert api.get("/memories").json()["memories"] == []


@pytest.mark.parametrize(("field", "text"), [case for case in FIELDS if case != ("project", "null")])
def test_a_wrong_field_of_a_change_is_named(api: httpx.Client, field: str, text: str) -> None:
    path = api.post("/memories", json={"content": "right"}).headers["Location"]

    refused(api.patch(path, content=body_with(field, text), headers=JSON), field)
    assert api.get(path).json()["version"] == 1


CONDITIONS = [
    ("project", '""'),
    ("project", f'"{NUL}"'),
    ("session_id", f'"{LONE}"'),
    ("memory_type.0", '["dream"]'),
    ("tags_any.0", '[""]'),
    ("tags_all.0", f'["{NUL}"]'),
    ("tags_all", json.dumps([str(n) for n in range(51)])),
    ("since", '"yesterday"'),
    ("since", '"2026-01-01T00:00:00"'),
    ("until", '"0001-01-01T00:00:00+01:00"'),
    ("min_importance", "2"),
    ("min_importance", "NaN"),
    ("metadata", f'{{"a": "{NUL}"}}'),
    ("metadata", '{"a": Infinity}'),
    ("metadata", "[]"),
    ("another", "1"),
]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *CONDITIONS,
        ("query", '""'),
        ("query", "null"),
        ("query", f'"{NUL}"'),
        ("query", f'"{LONE}"'),
        ("query", json.dumps("x" * 8193)),
        ("query", json.dumps("é" * 4097)),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "1.5"),
        ("limit", '"5"'),
        ("limit", "true"),
        ("mode", '"magic"'),
        ("min_score", "1.1"),
        ("min_score", "-1"),
        ("min_score", "NaN"),
        ("explain", "1"),
    ],
)
def test_a_wrong_field_of_a_search_is_named(api: httpx.Client, field: str, text: str) -> None:
    refused(api.post("/memories/search", content=body_with(field, text, query='"right"'), headers=JSON), field)


@pytest.mark.parametrize(("field", "text"), CONDITIONS)
def test_a_wrong_condition_of_a_deletion_is_named_and_nothing_is_deleted(
    api: httpx.Client, field: str, text: str
) -> None:
    api.post("/memories", json={"content": "stays"})

    body = '{"filter": ' + body_with(field, text) + "}"
    refused(api.post("/memories/delete", content=body, headers=JSON), f"filter.{field}")
    assert len(api.get("/memories").json()["memories"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"ids": None}, "body"),
        ({"all": False}, "body"),
        ({"ids": ["019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"], "filter": {"project": "p"}}, "body"),
        ({"filter": {"project": "p"}, "all": True}, "body"),
        ({"filter": {}}, "filter"),
        ({"filter": {"metadata": {}, "tags_any": [], "project": None}}, "filter"),
        ({"ids": []}, "ids"),
        ({"ids": ["019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"] * 1001}, "ids"),
        ({"ids": ["1"]}, "ids.0"),
        ({"ids": ["{019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40}"]}, "ids.0"),
        ({"all": "yes"}, "all"),
        ({"all": True, "dry_run": "no"}, "dry_run"),
        ({"all": True, "limit": 5}, "limit"),
    ],
)
def test_a_deletion_that_does_not_say_what_is_refused(api: httpx.Client, body: dict[str, Any], field: str) -> None:
    api.post("/memories", json={"content": "stays"})

    refused(api.post("/memories/delete", json=body), field)
    assert len(api.get("/memories").json()["memories"]) == 1


@pytest.mark.parametrize("route", ["search", "delete", "list"])
def test_until_must_be_later_than_since(api: httpx.Client, route: str) -> None:
    span = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:00:00+01:00"}

    if route == "search":
        refused(api.post("/memories/search", json={"query": "x", **span}), "until")
    elif route == "delete":
        refused(api.post("/memories/delete", json={"filter": span}), "filter.until")
    else:
        refused(api.get("/memories", params=span), "until", "query")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=f" + "_" * 31, "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("project=", "project"),
        ("project=%00", "project"),
        ("session_id=" + "x" * 201, "session_id"),
        ("memory_type=dream", "memory_type.0"),
        ("tags_any=", "tags_any.0"),
        ("tags_all=a&tags_all=b%00", "tags_all.1"),
        ("since=2026-01-01", "since"),
        ("since=2026-01-01T00:00:00+01:00", "since"),
        ("until=now", "until"),
        ("min_importance=1.5", "min_importance"),
        ("min_importance=nan", "min_importance"),
        ("sort=asc", "sort"),
    ],
)
def test_a_wrong_parameter_of_a_list_is_named(api: httpx.Client, query: str, field: str) -> None:
    refused(api.get(f"/memories?{query}"), field, "query")


@pytest.mark.parametrize("key", [b"", b"two words", "\u00e9".encode(), b"x" * 256])
def test_a_wrong_idempotency_key_is_named(api: httpx.Client, key: bytes) -> None:
    for path, body in (("/memories", {"content": "x"}), ("/memories/batch", {"memories": [{"content": "x"}]})):
        refused(api.post(path, json=body, headers={b"Idempotency-Key": key}), "Idempotency-Key", "header")
    assert api.get("/memories").json()["memories"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b'"text"',
        b"[]",
        b"\xff\xfe\xfd",
        b'{"content": "\xff"}',
        b"[" * 100_000,
        b'{"content": ' + b"9" * 5000 + b"}",
    ],
)
@pytest.mark.parametrize("path", ["/memories", "/memories/batch", "/memories/search", "/memories/delete"])
def test_a_body_that_is_no_json_object_is_refused(api: httpx.Client, path: str, body: bytes) -> None:
    refused(api.post(path, content=body, headers=JSON), "body")


@pytest.mark.parametrize("body", [b'{"memories": []}', b'{"memories": null}', b"{}", b'{"memories": {}}'])
def test_a_batch_without_memories_is_refused(api: httpx.Client, body: bytes) -> None:
    refused(api.post("/memories/batch", content=body, headers=JSON), "memories")


def test_an_unknown_field_is_named_whatever_its_characters(api: httpx.Client) -> None:
    response = api.post("/memories", json={"content": "x", "a/b~é": 1})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/a~1b~0%C3%A9"
    body = f'{{"content": "x", "{LONE}": 1}}'
    assert api.post("/memories", content=body, headers=JSON).status_code == 422


def test_all_that_is_wrong_is_told_at_once(api: httpx.Client) -> None:
    response = api.post("/memories", json={"content": "", "importance": 2, "tags": "x"})

    assert {error["field"] for error in response.json()["errors"]} == {"content", "importance", "tags"}
