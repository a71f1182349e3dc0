"""A user is erased: afterwards no table, object, cache entry or event store holds what was theirs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from psycopg import sql

from infra.local.postgres import LocalPostgres
from memory_server.domain.events import memory_event, new_id
from memory_server.domain.principals import known_scopes
from memory_server.repository.administration import Administrator
from memory_server.repository.plugin_schemas import PostgresPluginSchemas
from memory_server.services.delivery_ports import EventSequence
from memory_server.services.keys import KeyDraft
from plugin_kit.models import Memory
from tests.fixtures.aws import CACHE_TABLE, SEQUENCES_TABLE, AwsStack, make_registration
from tests.fixtures.postgres import SERVER_SECRET
from tests.fixtures.signed_in import Keyring

ERASE = {"confirm": "erase everything"}


@pytest.fixture
def secret() -> str:
    """What the user's content has in it, and nobody else's."""
    return f"lighthouse{new_id().replace('-', '')}"


@pytest.fixture
def plugin_id(postgres: LocalPostgres, database_name: str, stack: AwsStack) -> Iterator[str]:
    """A plugin with a table of its own."""
    plugin_id = f"erased_{new_id().replace('-', '')[:20]}"
    administrator = Administrator(
        host=postgres.host, port=postgres.port, name=database_name, user=postgres.user, password=postgres.password
    )
    schemas = PostgresPluginSchemas(administrator, server_secret=SERVER_SECRET)
    asyncio.run(schemas.create(plugin_id))
    asyncio.run(stack.registry().register(make_registration(plugin_id, permissions=("database:write",))))
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        schema = sql.Identifier(f"plugin_{plugin_id}")
        connection.execute(sql.SQL("SET ROLE {}").format(schema))
        connection.execute(sql.SQL("CREATE TABLE {}.notes (user_id text, note text)").format(schema))
    yield plugin_id
    asyncio.run(stack.registry().remove(plugin_id))
    asyncio.run(schemas.drop(plugin_id))


def fill(
    api: httpx.Client, stack: AwsStack, postgres: LocalPostgres, database_name: str, plugin_id: str, secret: str
) -> None:
    """Leave ``secret`` of the test's user wherever a user leaves something."""
    user = api.headers["X-Test-User"]
    created = api.post("/memories", json={"content": secret}, headers={"Idempotency-Key": secret})
    api.patch(created.headers["Location"], json={"content": f"{secret} changed"})
    api.delete(created.headers["Location"])
    api.post("/memories", json={"content": f"{secret} again", "tags": [secret]})
    assert api.post("/memories/search", json={"query": secret}).json()["results"]
    event = memory_event("memory_created", Memory(id=new_id(), content=secret * 10_000, user_id=user))
    waits = EventSequence(event=event, pending=frozenset("a"), waves=(("b",),), deadline=datetime.now(UTC))
    asyncio.run(stack.sequences().start(waits))
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        notes = sql.Identifier(f"plugin_{plugin_id}", "notes")
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s, %s)").format(notes), [user, secret])


def everything(stack: AwsStack, postgres: LocalPostgres, database_name: str) -> dict[str, str]:
    """Return as text what every table of the database and of DynamoDB holds, and every object, by its name."""
    found: dict[str, str] = {}
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "
            "AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for table in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(*table))).fetchall()
            found[".".join(table)] = "\n".join(str(row[0]) for row in rows)
    for name in stack.clients.dynamodb.list_tables()["TableNames"]:
        found[name] = str(stack.clients.dynamodb.scan(TableName=name)["Items"])
    for bucket in stack.clients.s3.list_buckets()["Buckets"]:
        name = bucket.get("Name", "")
        for item in stack.clients.s3.list_objects_v2(Bucket=name).get("Contents", []):
            key = item.get("Key", "")
            found[f"{name}/{key}"] = stack.clients.s3.get_object(Bucket=name, Key=key)["Body"].read().decode()
    return found


def test_afterwards_nothing_holds_what_was_the_users_and_what_is_anothers_is_there(
    api: httpx.Client, stack: AwsStack, postgres: LocalPostgres, database_name: str, plugin_id: str, secret: str
) -> None:
    fill(api, stack, postgres, database_name, plugin_id, secret)
    me, other, kept = api.headers["X-Test-User"], new_id(), f"kept{secret}"[::-1]
    api.headers["X-Test-User"] = other
    fill(api, stack, postgres, database_name, plugin_id, kept)
    api.headers["X-Test-User"] = me
    before = everything(stack, postgres, database_name)
    holders = {name for name, text in before.items() if secret in text}
    mine = hashlib.sha256(me.encode()).hexdigest()[:32]
    assert {
        "public.memories",
        "public.memory_versions",
        "public.outbox",
        "public.idempotency_keys",
        f"plugin_{plugin_id}.notes",
    } < holders
    assert any(mine in name for name in holders)
    assert mine in before[CACHE_TABLE]

    assert api.delete("/me", params=ERASE).status_code == 204

    after = everything(stack, postgres, database_name)
    assert [name for name, text in after.items() if secret in text or mine in name] == []
    assert mine not in after[CACHE_TABLE]
    assert me not in after[SEQUENCES_TABLE]
    assert {name for name, text in after.items() if kept in text} == {
        name for name, text in before.items() if kept in text
    }
    assert api.get("/memories").json()["memories"] == []


def test_it_wants_to_be_confirmed(api: httpx.Client) -> None:
    path = api.post("/memories", json={"content": "stays"}).headers["Location"]
    assert api.delete("/me").status_code == 422
    assert api.delete("/me", params={"confirm": "yes"}).status_code == 422
    assert api.get(path).status_code == 200


def test_a_key_for_one_project_erases_nobody(api: httpx.Client) -> None:
    path = api.post("/memories", json={"content": "stays"}).headers["Location"]
    draft = KeyDraft(user_id=api.headers["X-Test-User"], scopes=known_scopes(["memories:write"]), project="in")
    headers = {"Authorization": f"Bearer {Keyring().make(draft).text}"}
    assert api.delete("/me", params=ERASE, headers=headers).status_code == 403
    assert api.get(path).status_code == 200


def test_every_table_that_has_rows_of_users_is_erased(postgres: LocalPostgres, database_name: str) -> None:
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        of_users = connection.execute(
            "SELECT table_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = 'user_id'"
        ).fetchall()
        erased = connection.execute("SELECT tablename FROM pg_policies WHERE policyname = 'erased_rows'").fetchall()
    assert sorted(of_users) == sorted(erased)
