"""The services of a context, over the gateway's answers."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from plugin_kit.aws import Aws
from plugin_kit.context import Services
from plugin_kit.errors import AnswerTooLarge, PermissionRefused, ServiceFailed
from plugin_kit.gateway import Gateway
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.models import Memory, SearchResult

ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:gateway:plugin-my_plugin"
MEMORY = Memory(id="1", content="The cat sleeps.", created_at=datetime(2026, 11, 22, tzinfo=UTC))


class GatewayLambda:
    """The gateway's alias as Lambda shows it: one answer, and the request that was sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        aws = Aws()
        client = aws.lambda_
        self._stub = Stubber(client)
        self._stub.activate()
        self._request = b""
        client.meta.events.register("provide-client-params.lambda.Invoke", self._remember)  # pyright: ignore[reportUnknownMemberType]
        self.services: Services = Gateway(aws, ALIAS, "the grant").services(files=None)

    def answers(self, payload: JsonObject | str, **response: str) -> None:
        body = (payload if isinstance(payload, str) else dumps(payload)).encode()
        stream = StreamingBody(io.BytesIO(body), len(body))
        self._stub.add_response(
            "invoke", {"StatusCode": 200, "Payload": stream, **response}, {"FunctionName": ALIAS, "Payload": ANY}
        )

    def is_away(self) -> None:
        self._stub.add_client_error("invoke", "TooManyRequestsException")

    @property
    def request(self) -> JsonValue:
        return json.loads(self._request)

    def _remember(self, params: dict[str, bytes], **_: object) -> None:
        self._request = params["Payload"]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> GatewayLambda:
    return GatewayLambda(monkeypatch)


async def test_a_memory_is_asked_for_in_the_events_name(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": MEMORY.to_dict()})
    assert await gateway.services.memory.get("1") == MEMORY
    assert gateway.request == {"operation": "memory.get", "arguments": {"memory_id": "1"}, "grant": "the grant"}


async def test_a_search_answers_with_results(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": [{"memory": MEMORY.to_dict(), "score": 0.75}]})
    assert await gateway.services.memory.search("cat", limit=3) == [SearchResult(memory=MEMORY, score=0.75)]


async def test_memories_are_listed_by_project(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": [MEMORY.to_dict()]})
    assert await gateway.services.memory.list("home") == [MEMORY]


async def test_only_the_fields_that_a_plugin_names_are_sent(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": MEMORY.to_dict()})
    await gateway.services.memory.update("1", project=None, expires_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert gateway.request == {
        "operation": "memory.update",
        "arguments": {"memory_id": "1", "project": None, "expires_at": "2027-01-01T00:00:00+00:00"},
        "grant": "the grant",
    }


async def test_a_memory_is_created_and_deleted(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": MEMORY.to_dict()})
    gateway.answers({"ok": None})
    assert await gateway.services.memory.create("The cat sleeps.", tags=["cat"]) == MEMORY
    await gateway.services.memory.delete("1")


async def test_rows_come_back_as_objects(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": [{"day": "2026-11-22", "events": 3}]})
    assert await gateway.services.database.query("SELECT ... WHERE a = %s", ["x"]) == [
        {"day": "2026-11-22", "events": 3}
    ]


async def test_a_vector_comes_back_for_each_text(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": [[0.6, 0.8]]})
    assert await gateway.services.embedding.embed(("cat",)) == [[0.6, 0.8]]


async def test_a_cached_value_comes_back(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": None})
    gateway.answers({"ok": [1, 2]})
    await gateway.services.cache.set("key", [1, 2])
    assert await gateway.services.cache.get("key") == [1, 2]


async def test_a_refusal_tells_which_operation_and_why(gateway: GatewayLambda) -> None:
    gateway.answers({"error": {"type": "PermissionRefused", "message": "add 'memory:read' to PLUGIN_INFO"}})
    with pytest.raises(PermissionRefused, match=r"memory\.get: add 'memory:read' to PLUGIN_INFO"):
        await gateway.services.memory.get("1")


async def test_an_answer_that_would_be_too_large_is_an_error_of_its_own(gateway: GatewayLambda) -> None:
    gateway.answers({"error": {"type": "AnswerTooLarge", "message": "by: gives over 10,000 rows"}})
    with pytest.raises(AnswerTooLarge, match=r"memory\.count: by: gives over 10,000 rows"):
        await gateway.services.memory.count(["project"])


async def test_a_failure_of_the_service_tells_why(gateway: GatewayLambda) -> None:
    gateway.answers({"error": {"type": "ServiceFailed", "message": 'syntax error at "SELEC"'}})
    with pytest.raises(ServiceFailed, match=r'database\.execute: syntax error at "SELEC"'):
        await gateway.services.database.execute("SELEC")


async def test_a_gateway_that_crashed_is_a_failed_service(gateway: GatewayLambda) -> None:
    gateway.answers({"errorMessage": "boom"}, FunctionError="Unhandled")
    with pytest.raises(ServiceFailed, match=r"memory\.get: the gateway failed"):
        await gateway.services.memory.get("1")


async def test_a_gateway_that_answers_no_json_is_a_failed_service(gateway: GatewayLambda) -> None:
    gateway.answers("<html>")
    with pytest.raises(ServiceFailed, match="the gateway does not answer"):
        await gateway.services.memory.get("1")


async def test_a_gateway_that_does_not_answer_is_a_failed_service(gateway: GatewayLambda) -> None:
    gateway.is_away()
    with pytest.raises(ServiceFailed, match=r"the gateway does not answer: .*TooManyRequests"):
        await gateway.services.memory.get("1")


async def test_a_page_of_memories_comes_after_a_memory(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": []})
    assert await gateway.services.memory.list(limit=5, after=MEMORY) == []
    assert gateway.request == {
        "operation": "memory.list",
        "arguments": {
            "project": None,
            "limit": 5,
            "after": {"id": "1", "created_at": "2026-11-22T00:00:00+00:00"},
        },
        "grant": "the grant",
    }


async def test_memories_are_counted_by_what_is_asked(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": [{"day": "2026-11-22", "count": 3}]})
    since = datetime(2026, 11, 1, tzinfo=UTC)
    assert await gateway.services.memory.count(["day"], since=since) == [{"day": "2026-11-22", "count": 3}]
    assert gateway.request == {
        "operation": "memory.count",
        "arguments": {
            "by": ["day"],
            "project": None,
            "since": "2026-11-01T00:00:00+00:00",
            "until": None,
            "deleted": False,
        },
        "grant": "the grant",
    }


async def test_tasks_are_started_in_the_events_name(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": None})
    gateway.answers({"ok": 2})
    await gateway.services.memory.later("go_on", {"part": 2}, delay_seconds=9)
    assert gateway.request == {
        "operation": "memory.later",
        "arguments": {"task": "go_on", "arguments": {"part": 2}, "delay_seconds": 9},
        "grant": "the grant",
    }
    assert await gateway.services.memory.for_every_user("go_on") == 2


async def test_a_snapshot_and_a_load_name_the_task_that_comes_after_them(gateway: GatewayLambda) -> None:
    gateway.answers({"ok": "transfer"})
    gateway.answers({"ok": None})
    assert await gateway.services.memory.snapshot("stored", {"id": 1}, where={"project": "p"}) == "transfer"
    assert gateway.request == {
        "operation": "memory.snapshot",
        "arguments": {
            "then": "stored",
            "arguments": {"id": 1},
            "where": {"project": "p"},
            "history": False,
            "embeddings": False,
        },
        "grant": "the grant",
    }
    await gateway.services.memory.load("key", ["a.jsonl"], "loaded", conflict="overwrite", dry_run=True)
    assert gateway.request == {
        "operation": "memory.load",
        "arguments": {
            "key": "key",
            "parts": ["a.jsonl"],
            "then": "loaded",
            "arguments": {},
            "conflict": "overwrite",
            "project": None,
            "dry_run": True,
        },
        "grant": "the grant",
    }


def test_a_plugin_without_the_permission_has_no_files(gateway: GatewayLambda) -> None:
    with pytest.raises(PermissionRefused, match="files needs the permission files"):
        _ = gateway.services.database.files
