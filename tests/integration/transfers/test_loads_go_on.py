"""Loads that embed for longer than one invocation lasts."""

from __future__ import annotations

import threading
import time

import pytest

from functions.bulk_transfer import handler as function
from memory_server import bootstrap
from memory_server.environment import Environment
from memory_server.repository import loads
from plugin_kit.file_names import prefixes_of
from plugin_kit.json_types import JsonObject
from tests.fixtures.aws import BUCKET
from tests.integration.transfers.conftest import PLUGIN, Transfers, numbers

TEXTS = [f"text number {number}" for number in range(150)]
NO_TIME = 60_000
SECONDS = 20


@pytest.fixture
def request_(transfers: Transfers) -> JsonObject:
    """A load of 150 texts: three calls of the embedder."""
    return transfers.load_request(transfers.write("a", *({"content": text} for text in TEXTS)))


def test_it_goes_on_in_other_invocations_and_embeds_each_text_once(transfers: Transfers, request_: JsonObject) -> None:
    transfers.invoke(request_, milliseconds=NO_TIME)
    assert len(transfers.embedder.embedded) == 64
    assert transfers.going_on == [request_]
    assert transfers.memories() == {}

    transfers.invoke(transfers.going_on[0], milliseconds=NO_TIME)
    transfers.invoke(transfers.going_on[1], milliseconds=NO_TIME)

    assert numbers(transfers.told()["load"]) == (150, 0, 0, 0, 0)
    assert sorted(transfers.embedder.embedded) == sorted(TEXTS)
    assert len(transfers.going_on) == 2


def test_what_it_keeps_meanwhile_is_no_file_of_the_plugins(transfers: Transfers, request_: JsonObject) -> None:
    transfers.invoke(request_, milliseconds=NO_TIME)

    listed = transfers.aws.clients.s3.list_objects_v2(Bucket=BUCKET, Prefix="transfers/").get("Contents", [])
    vectors = [item.get("Key", "") for item in listed if "/vectors/" in item.get("Key", "")]
    assert vectors
    assert not [key for key in vectors if key.startswith(prefixes_of(PLUGIN, "ana"))]
    assert all(key.startswith(prefixes_of("_server", "ana")) for key in vectors)


def test_every_memory_has_the_vector_of_its_own_text(transfers: Transfers, request_: JsonObject) -> None:
    transfers.invoke(request_, milliseconds=NO_TIME)
    transfers.run(request_, "ana")
    part = transfers.write("b", *({"content": text} for text in TEXTS), user_id="ben")
    transfers.load(part, user_id="ben", key="at once")

    vectors = "SELECT content, embedding::text FROM memories WHERE user_id = %s ORDER BY content"
    assert transfers.rows(vectors, "ana") == transfers.rows(vectors, "ben")


def test_one_that_failed_embeds_what_was_missing_alone(transfers: Transfers, request_: JsonObject) -> None:
    transfers.embedder.before = lambda: setattr(transfers.embedder, "away", bool(transfers.embedder.embedded))
    assert "embedder" in transfers.run(request_, "ana")["load"]["error"]["message"]
    assert len(transfers.embedder.embedded) == 64

    transfers.embedder.before = lambda: setattr(transfers.embedder, "away", False)

    assert numbers(transfers.run(request_, "ana")["load"]) == (150, 0, 0, 0, 0)
    assert sorted(transfers.embedder.embedded) == sorted(TEXTS)


def test_vectors_of_a_model_that_is_served_no_more_do_not_count(transfers: Transfers, request_: JsonObject) -> None:
    transfers.invoke(request_, milliseconds=NO_TIME)
    transfers.embedder.model_id = "newer"
    function.environment.close()

    assert numbers(transfers.run(request_, "ana")["load"]) == (150, 0, 0, 0, 0)
    assert transfers.rows("SELECT DISTINCT embedding_model FROM memories") == [("newer",)]


def test_one_that_was_begun_twice_is_done_once(transfers: Transfers, request_: JsonObject) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(SECONDS)

    transfers.embedder.before = wait
    first, second = (threading.Thread(target=run_in_its_own_environment, args=[request_]) for _ in range(2))
    first.start()
    assert begun.wait(SECONDS)
    second.start()
    until = time.monotonic() + SECONDS
    while not transfers.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
        assert time.monotonic() < until, "the second does not wait for the first"
        time.sleep(0.01)
    go_on.set()
    first.join(SECONDS)
    second.join(SECONDS)

    outcomes = [transfers.told()["load"] for _ in range(2)]
    assert [numbers(outcome) for outcome in outcomes] == [(150, 0, 0, 0, 0)] * 2
    assert sorted(transfers.embedder.embedded) == sorted(TEXTS)


def test_one_that_another_invocation_is_at_for_long_is_left_to_it(
    transfers: Transfers, request_: JsonObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "_PATIENCE", "10ms")
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(SECONDS)

    transfers.embedder.before = wait
    first = threading.Thread(target=run_in_its_own_environment, args=[request_])
    first.start()
    assert begun.wait(SECONDS)
    run_in_its_own_environment(request_)
    go_on.set()
    first.join(SECONDS)

    assert numbers(transfers.told()["load"]) == (150, 0, 0, 0, 0)
    assert transfers.aws.received(transfers.queue_url) == []


def run_in_its_own_environment(request: JsonObject) -> None:
    """Do what another environment of the function does, beside that of this test."""
    environment = Environment(bootstrap.transfers)
    environment.run(lambda transfers: transfers.run(request, lambda: True))
    environment.close()
