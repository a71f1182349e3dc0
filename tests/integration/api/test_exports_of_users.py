"""A user gets all that is theirs in one file, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import psycopg
import pytest
from psycopg import sql

from functions.bulk_transfer import handler as function
from infra.local.postgres import LocalPostgres
from memory_server.domain.events import new_id
from memory_server.domain.principals import known_scopes
from memory_server.repository.administration import Administrator
from memory_server.repository.plugin_schemas import PostgresPluginSchemas
from memory_server.services.keys import KeyDraft
from plugin_kit.file_names import key_of
from tests.fixtures.aws import BUCKET, AwsStack
from tests.fixtures.functions import Invocation
from tests.fixtures.postgres import SERVER_SECRET
from tests.fixtures.signed_in import Keyring

waiting: list[bytes] = []


def bulk_transfer(payload: bytes) -> bytes:
    """What Lambda does when the function is invoked without waiting for it: it keeps the event."""
    waiting.append(payload)
    return b"null"


def work() -> None:
    """Let the function do what it was asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "bulk")  # as Lambda does
        while waiting:
            function.handler(json.loads(waiting.pop(0)), Invocation("bulk").context)
        function.environment.close()


@pytest.fixture(scope="module")
def plugin_functions() -> dict[str, Callable[[bytes], bytes]]:
    return {"bulk": bulk_transfer}


@pytest.fixture
def plugin_id(postgres: LocalPostgres, database_name: str) -> Iterator[str]:
    """A plugin with two tables of users, one of which has a name that no file should have."""
    plugin_id = f"exported_{new_id().replace('-', '')[:20]}"
    administrator = Administrator(
        host=postgres.host, port=postgres.port, name=database_name, user=postgres.user, password=postgres.password
    )
    schemas = PostgresPluginSchemas(administrator, server_secret=SERVER_SECRET)
    asyncio.run(schemas.create(plugin_id))
    run(postgres, database_name, plugin_id, "CREATE TABLE {}.notes (user_id text, note text)")
    run(postgres, database_name, plugin_id, 'CREATE TABLE {}."../x" (user_id text, n integer)')
    yield plugin_id
    asyncio.run(schemas.drop(plugin_id))


def run(postgres: LocalPostgres, database_name: str, plugin_id: str, statement: str, *values: object) -> None:
    """Run a statement as the plugin."""
    schema = sql.Identifier(f"plugin_{plugin_id}")
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(schema))
        connection.execute(sql.SQL(statement).format(schema), values)  # pyright: ignore[reportArgumentType]


def exported(api: httpx.Client, stack: AwsStack) -> dict[str, list[Any]]:
    """Export the test's user, and return the lines of each file."""
    begun = api.post("/me/exports")
    assert begun.status_code == 202
    path = begun.headers["Location"]
    assert api.get(path).json()["status"] == "running"
    work()
    export = api.get(path).json()
    assert (export["status"], export["error"]) == ("done", None)
    link = urlsplit(str(export["download"]["url"]))
    assert "Expires" in link.query
    key = unquote(link.path).partition("transfers/")
    data = stack.clients.s3.get_object(Bucket=BUCKET, Key=key[1] + key[2])["Body"].read()
    assert len(data) == export["bytes"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {
            name: [json.loads(line) for line in archive.read(name).splitlines()] if name.endswith("l") else [
                archive.read(name).decode()
            ]
            for name in archive.namelist()
        }  # fmt: skip


def test_everything_of_the_user_is_in_the_file_and_nothing_of_anothers(
    api: httpx.Client, stack: AwsStack, postgres: LocalPostgres, database_name: str, plugin_id: str
) -> None:
    me, other = api.headers["X-Test-User"], new_id()
    for user, word in ((other, "theirs"), (me, "mine")):
        api.headers["X-Test-User"] = user
        created = api.post("/memories", json={"content": f"{word} 1"}, headers={"Idempotency-Key": f"{word}-key"})
        api.patch(created.headers["Location"], json={"content": f"{word} 2", "tags": [word]})
        api.delete(api.post("/memories", json={"content": f"{word} deleted"}).headers["Location"])
        run(postgres, database_name, plugin_id, "INSERT INTO {}.notes VALUES (%s, %s)", user, f"{word} note")
        run(postgres, database_name, plugin_id, 'INSERT INTO {}."../x" VALUES (%s, %s)', user, 1)
        stack.clients.s3.put_object(Bucket=BUCKET, Key=key_of("some_plugin", user, f"{word}.txt"), Body=b"12345")

    files = exported(api, stack)

    (memory,) = files["memories.jsonl"]
    assert (memory["content"], memory["tags"], memory["version"], memory["user_id"]) == ("mine 2", ["mine"], 2, me)
    assert set(memory).isdisjoint({"embedding", "keywords", "content_sha256"})
    versions = {(version["content"], version["replaced_by"]) for version in files["memory_versions.jsonl"]}
    assert versions == {("mine 1", "update"), ("mine deleted", "delete")}
    assert [key["key"] for key in files["idempotency_keys.jsonl"]] == ["mine-key"]
    assert len(files["outbox.jsonl"]) == 4
    assert sum(row["memories"] for row in files["usage.jsonl"]) == 1
    assert files[f"plugins/{plugin_id}/notes.jsonl"] == [{"user_id": me, "note": "mine note"}]
    assert files[f"plugins/{plugin_id}/..%2Fx.jsonl"] == [{"user_id": me, "n": 1}]
    (file,) = files["plugin_files.jsonl"]
    assert (file["plugin"], file["name"], file["bytes"]) == ("some_plugin", "mine.txt", 5)
    (key,) = files["keys.jsonl"]
    assert key["id"] == api.get("/me").json()["key_id"]
    everything = json.dumps(files)
    assert "theirs" not in everything
    assert other not in everything
    assert "sha256" not in everything
    assert me in files["README.txt"][0]


def test_every_table_of_the_server_that_has_rows_of_users_is_in_the_file(
    api: httpx.Client, stack: AwsStack, postgres: LocalPostgres, database_name: str
) -> None:
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        of_users = connection.execute(
            "SELECT table_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = 'user_id'"
        ).fetchall()
    assert {f"{name}.jsonl" for (name,) in of_users} < set(exported(api, stack))


def test_a_plugin_that_fails_keeps_nobody_from_the_rest(
    api: httpx.Client, stack: AwsStack, postgres: LocalPostgres, database_name: str, plugin_id: str
) -> None:
    api.post("/memories", json={"content": "mine"})
    run(
        postgres,
        database_name,
        plugin_id,
        "CREATE FUNCTION {0}.fail() RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 = 1'; "
        "ALTER TABLE {0}.notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; "
        "CREATE POLICY broken ON {0}.notes USING ({0}.fail()); ",
    )
    run(postgres, database_name, plugin_id, 'INSERT INTO {}."../x" VALUES (%s, 2)', api.headers["X-Test-User"])
    with psycopg.connect(postgres.dsn(database_name)) as connection:  # whom the policy does not bind
        table = sql.Identifier(f"plugin_{plugin_id}", "notes")
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s)").format(table), [api.headers["X-Test-User"]])
    files = exported(api, stack)
    assert [memory["content"] for memory in files["memories.jsonl"]] == ["mine"]
    assert f"Missing: rows of plugins/{plugin_id}/notes: division by zero" in files["README.txt"][0]


def test_while_one_is_written_no_other_is_begun(api: httpx.Client) -> None:
    first, second = api.post("/me/exports"), api.post("/me/exports")
    assert first.headers["Location"] == second.headers["Location"]
    assert len(waiting) == 1
    work()
    third = api.post("/me/exports")
    assert third.headers["Location"] != first.headers["Location"]
    work()
    assert [export["status"] for export in api.get("/me/exports").json()["exports"]] == ["done", "done"]


def test_an_export_that_is_deleted_leaves_no_file_whether_it_was_written_or_not(
    api: httpx.Client, stack: AwsStack
) -> None:
    for written in (True, False):
        path = api.post("/me/exports").headers["Location"]
        if written:
            work()
        assert api.delete(path).status_code == 204
        work()
        assert api.get(path).status_code == 404
        assert api.delete(path).status_code == 404
        key = key_of("_server", api.headers["X-Test-User"], f"transfers/{path.rpartition('/')[2]}.zip")
        assert stack.clients.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"] == 0
    assert api.get("/me/exports").json() == {"exports": []}


def test_another_users_export_is_not_there(api: httpx.Client) -> None:
    path = api.post("/me/exports").headers["Location"]
    work()
    api.headers["X-Test-User"] = new_id()
    assert api.get(path).status_code == 404
    assert api.delete(path).status_code == 404
    assert api.get("/me/exports").json() == {"exports": []}


def test_an_export_that_fails_says_so(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = api.post("/me/exports").headers["Location"]
    with monkeypatch.context() as patch:
        patch.setenv("FILES_BUCKET", "no-such-bucket")
        work()
    export = api.get(path).json()
    assert (export["status"], export["download"]) == ("failed", None)
    assert "the file store does not answer" in export["error"]
    assert api.post("/me/exports").headers["Location"] != path
    work()


def test_a_credential_for_one_project_exports_nothing(api: httpx.Client) -> None:
    draft = KeyDraft(user_id=api.headers["X-Test-User"], scopes=known_scopes(["memories:read"]), project="in")
    headers = {"Authorization": f"Bearer {Keyring().make(draft).text}"}
    assert api.post("/me/exports", headers=headers).status_code == 403
    assert api.get("/me/exports", headers=headers).status_code == 403
    assert waiting == []


def test_an_erased_user_has_no_exports(api: httpx.Client) -> None:
    path = api.post("/me/exports").headers["Location"]
    assert api.delete("/me", params={"confirm": "erase everything"}).status_code == 204
    work()
    assert api.get(path).status_code in (401, 404)
