"""A user is erased: afterwards no table, object, cache entry or event store holds what was theirs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from psycopg import sql

from infra.local.postgres import LocalPostgres
from memory_server.adapters.dynamodb_plugin_cache import DynamoDBPluginCache
from memory_server.domain.events import memory_event, new_id
from memory_server.domain.principals import known_scopes
from memory_server.repository.administration import Administrator
from memory_server.repository.plugin_schemas import PostgresPluginSchemas
from memory_server.services.delivery_ports import EventSequence
from memory_server.services.keys import KeyDraft
from plugin_kit.delivery_log import DeliveryLog
from plugin_kit.file_names import key_of
from plugin_kit.models import Memory
from plugin_kit.outcomes import Outcome
from plugin_kit.records import PluginRecords
from plugin_kit.tally import Tally
from tests.fixtures.aws import (
    BUCKET,
    CACHE_TABLE,
    DELIVERY_LOG_TABLE,
    KEYS_TABLE,
    PLUGINS_TABLE,
    SEQUENCES_TABLE,
    AwsStack,
    make_registration,
)
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
    dead = stack.clients.sqs.create_queue(QueueName=f"{plugin_id}-dead")["QueueUrl"]
    registration = make_registration(plugin_id, permissions=("database:write",), dead_letter_queue_url=dead)
    asyncio.run(stack.registry().register(registration))
    with psycopg.connect(postgres.dsn(database_name)) as connection:
        schema = sql.Identifier(f"plugin_{plugin_id}")
        connection.execute(sql.SQL("SET ROLE {}").format(schema))
        connection.execute(sql.SQL("SET search_path = {}").format(schema))
        # Named so that those come first to which others refer.
        connection.execute("CREATE TABLE a_users (user_id text PRIMARY KEY)")
        connection.execute("CREATE TABLE notes (user_id text REFERENCES a_users, note text)")
    yield plugin_id
    stack.clients.sqs.delete_queue(QueueUrl=dead)
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
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(f"plugin_{plugin_id}")))
        connection.execute("INSERT INTO a_users VALUES (%s)", [user])
        connection.execute("INSERT INTO notes VALUES (%s, %s)", [user, secret])
    leave_what_a_plugin_leaves(stack, plugin_id, user, secret)


def leave_what_a_plugin_leaves(stack: AwsStack, plugin_id: str, user: str, secret: str) -> None:
    """Leave ``secret`` in files, in the cache, in the log of deliveries, in the statistics, and in a dead letter."""
    clients = stack.clients
    for name in ("kept", "transfers/passing"):
        clients.s3.put_object(Bucket=BUCKET, Key=key_of(plugin_id, user, name), Body=secret.encode())
    upload = clients.s3.create_multipart_upload(Bucket=BUCKET, Key=key_of(plugin_id, user, "begun"))
    assert upload["UploadId"]
    cache = DynamoDBPluginCache(clients.dynamodb, CACHE_TABLE)
    asyncio.run(cache.set(plugin_id, user, "key", secret, ttl_seconds=60))
    failed = Outcome(event_id=new_id(), hook="memory_created", result="failed", attempt=1, error=secret, user_id=user)
    DeliveryLog(clients.dynamodb, DELIVERY_LOG_TABLE, plugin_id).write([failed])
    counted = Tally()
    counted.count(failed)
    PluginRecords(clients.dynamodb, PLUGINS_TABLE, plugin_id).add(counted)
    asyncio.run(stack.registry().note_endpoint_error(plugin_id, user, secret, datetime.now(UTC)))
    dead = asyncio.run(stack.registry().get(plugin_id)).dead_letter_queue_url
    body = {"detail": {"user_id": user, "args": {"content": secret}}}
    clients.sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(body))
    clients.sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"task": "t", "user_id": user, "arguments": secret}))


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
        for upload in stack.clients.s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
            found[f"{name}/{upload.get('Key')}?"] = "begun"
    for url in stack.clients.sqs.list_queues(QueueNamePrefix="erased_").get("QueueUrls", []):
        found[url] = str(messages(stack, url))
    return found


def messages(stack: AwsStack, url: str) -> list[str]:
    """Return what waits in a queue, and leave it there."""
    sqs = stack.clients.sqs
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get("Messages", [])
    for message in found:
        receipt = message.get("ReceiptHandle", "")
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
    return [message.get("Body", "") for message in found]


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
    dead = asyncio.run(stack.registry().get(plugin_id)).dead_letter_queue_url
    assert {
        "public.memories",
        "public.memory_versions",
        "public.outbox",
        "public.idempotency_keys",
        f"plugin_{plugin_id}.notes",
        f"{BUCKET}/{key_of(plugin_id, me, 'kept')}",
        f"{BUCKET}/{key_of(plugin_id, me, 'transfers/passing')}",
        CACHE_TABLE,
        DELIVERY_LOG_TABLE,
        dead,
    } < holders
    assert f"{BUCKET}/{key_of(plugin_id, me, 'begun')}?" in before
    assert any(mine in name for name in holders)
    assert mine in before[CACHE_TABLE]

    assert api.delete("/me", params=ERASE).status_code == 204

    after = everything(stack, postgres, database_name)
    assert [name for name, text in after.items() if secret in text or mine in name] == []
    assert mine not in after[CACHE_TABLE]
    assert me not in after[SEQUENCES_TABLE]
    assert me not in after[KEYS_TABLE]
    assert other in after[KEYS_TABLE]
    assert {name for name, text in after.items() if kept in text} == {
        name for name, text in before.items() if kept in text
    }


def test_the_last_errors_of_a_plugin_go_with_the_user_whose_they_were(
    api: httpx.Client, stack: AwsStack, plugin_id: str, secret: str
) -> None:
    me = api.headers["X-Test-User"]
    leave_what_a_plugin_leaves(stack, plugin_id, me, secret)
    api.headers["X-Test-User"] = new_id()
    assert api.delete("/me", params=ERASE).status_code == 204
    kept = asyncio.run(stack.registry().statistics(plugin_id))
    assert (kept.last_error, kept.failed) == (secret, 1)

    api.headers["X-Test-User"] = me
    assert api.delete("/me", params=ERASE).status_code == 204
    left = asyncio.run(stack.registry().statistics(plugin_id))
    assert (left.last_error, left.failed) == (None, 1)
    assert left.last_error_at == kept.last_error_at


def test_the_schema_of_a_plugin_that_is_registered_no_longer_is_erased_too(
    api: httpx.Client, stack: AwsStack, postgres: LocalPostgres, database_name: str, plugin_id: str, secret: str
) -> None:
    asyncio.run(stack.registry().remove(plugin_id))
    me = api.headers["X-Test-User"]
    with psycopg.connect(postgres.dsn(database_name), autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(f"plugin_{plugin_id}")))
        connection.execute("INSERT INTO a_users VALUES (%s)", [me])
        connection.execute("INSERT INTO notes VALUES (%s, %s)", [me, secret])
        assert api.delete("/me", params=ERASE).status_code == 204
        assert connection.execute("SELECT FROM notes").rowcount == 0


def test_keys_go_last_and_the_key_in_use_opens_nothing_afterwards(api: httpx.Client) -> None:
    user, keyring = api.headers["X-Test-User"], Keyring()
    drafts = [KeyDraft(user_id=user, scopes=known_scopes(["memories:write", "memories:read"])) for _ in range(3)]
    headers = [{"Authorization": f"Bearer {keyring.make(draft).text}"} for draft in drafts]
    assert api.delete("/me", params=ERASE, headers=headers[1]).status_code == 204
    assert [api.get("/memories", headers=header).status_code for header in headers] == [401, 401, 401]


@pytest.mark.parametrize("parameters", [{}, {"confirm": ""}, {"confirm": "yes"}])
def test_it_wants_to_be_confirmed_and_says_by_which_words(api: httpx.Client, parameters: dict[str, str]) -> None:
    path = api.post("/memories", json={"content": "stays"}).headers["Location"]

    answer = api.delete("/me", params=parameters)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["in"]) == ("confirm", "query")
    assert error["detail"].startswith(
        "must be the words 'erase everything', as in DELETE /me?confirm=erase%20everything"
    )
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
