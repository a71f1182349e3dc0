"""What a plugin's function answers to a direct call."""

from __future__ import annotations

from typing import cast

import pytest

from plugin_kit.json_types import JsonObject, JsonValue
from tests.integration.plugin_host.stack import Stack, act, cold_start, created

ENDPOINT = {"method": "GET", "path": "/counts/{day}", "handler": "counts", "summary": "Counts of a day"}
REQUEST: JsonObject = {
    "method": "GET",
    "path": "/counts/today",
    "path_params": {"day": "today"},
    "query": {"limit": "3"},
    "body": None,
}
EVENT: JsonObject = {
    "id": "01890a5d-ac96-774b-bcce-000000000009",
    "time": "2026-11-22T12:00:00+00:00",
    "user_id": "ann",
    "session_id": "s",
    "project": "home",
    "metadata": {"client": "curl"},
    "grant": "the grant",
}


def ok(answer: JsonObject) -> JsonObject:
    assert "error" not in answer
    return cast(JsonObject, answer["ok"])


def error(answer: JsonObject) -> JsonObject:
    assert "ok" not in answer
    return cast(JsonObject, answer["error"])


def endpoint(stack: Stack, source: str) -> JsonObject:
    stack.plugin(f"async def memory_created(memory, context): ...\n{source}", endpoints=[ENDPOINT])
    return act(cold_start(), "endpoint", handler="counts", request=REQUEST, event=EVENT)


def test_a_plugin_describes_itself_without_being_called(stack: Stack) -> None:
    stack.plugin("""
        async def initialize(context):
            say("initialize")

        async def memory_created(memory, context):
            say(memory.content)
        """)
    manifest = ok(act(cold_start(), "describe"))
    assert (manifest["plugin_id"], manifest["hooks"]) == ("my_plugin", ["memory_created"])
    assert stack.said == []


def test_an_action_that_is_unknown_is_told_what_there_is(stack: Stack) -> None:
    del stack  # its environment
    assert "describe, initialize, cleanup, fire, endpoint" in str(error(act(cold_start(), "explode"))["message"])


def test_initialize_runs_again_each_time_it_is_asked_for_and_serves_the_next_event(stack: Stack) -> None:
    stack.plugin("""
        async def initialize(context):
            say(f"initialize {context['user_id']}")

        async def memory_created(memory, context):
            say(memory.content)
        """)
    handler = cold_start()
    assert [act(handler, "initialize"), act(handler, "initialize")] == [{"ok": None}, {"ok": None}]
    stack.send(created("hello"))
    stack.poll(handler)
    assert stack.said == ["initialize None", "initialize None", "hello"]


def test_an_initialize_that_raises_says_why(stack: Stack) -> None:
    stack.plugin("""
        async def initialize(context):
            raise OSError("no database")

        async def memory_created(memory, context): ...
        """)
    failed = error(act(cold_start(), "initialize"))
    assert (failed["type"], failed["message"]) == ("InitializeFailed", "initialize: OSError: no database")


def test_cleanup_is_called_and_the_next_event_initializes_again(stack: Stack) -> None:
    stack.plugin("""
        async def initialize(context):
            say("initialize")

        async def cleanup(context):
            say("cleanup")

        async def memory_created(memory, context):
            say(memory.content)
        """)
    handler = cold_start()
    stack.send(created("one", 1))
    stack.poll(handler)
    assert act(handler, "cleanup") == {"ok": None}
    stack.send(created("two", 2))
    stack.poll(handler)
    assert stack.said == ["initialize", "one", "cleanup", "initialize", "two"]


def test_a_plugin_without_initialize_and_cleanup_answers_all_the_same(stack: Stack) -> None:
    del stack  # its environment
    handler = cold_start()
    assert [act(handler, "initialize"), act(handler, "cleanup")] == [{"ok": None}, {"ok": None}]


def test_a_cleanup_that_raises_says_why(stack: Stack) -> None:
    stack.plugin("""
        async def cleanup(context):
            raise OSError("the disk is full")

        async def memory_created(memory, context): ...
        """)
    failed = error(act(cold_start(), "cleanup"))
    assert (failed["type"], failed["message"]) == ("HookFailed", "OSError: the disk is full")


def test_fire_runs_the_hook_and_tells_what_it_returned_and_wrote(stack: Stack) -> None:
    stack.plugin("""
        import logging

        async def memory_created(memory, context):
            context["logger"].warning("seen %s", memory.content)
            context["logger"].debug("not at this level")
            print("printed", memory.project)
            return {"seen": [memory.id]}
        """)
    handler = cold_start()
    for _ in range(2):
        fired = ok(act(handler, "fire", detail=created("hello")))
        assert fired["returned"] == {"seen": ["1"]}
        assert fired["logs"] == ["WARNING seen hello", "printed home"]
        assert 0 <= int(str(fired["milliseconds"])) < 5000
    assert (stack.statistics, stack.log) == ({}, [])


def test_fire_tells_what_a_hook_wrote_before_it_failed(stack: Stack) -> None:
    stack.plugin("""
        async def memory_created(memory, context):
            context["logger"].info("about to fail")
            raise ValueError("I dislike it")
        """)
    failed = error(act(cold_start(), "fire", detail=created("hello")))
    assert failed == {"type": "HookFailed", "message": "ValueError: I dislike it", "logs": ["INFO about to fail"]}


def test_fire_of_a_plugin_that_cannot_be_imported_says_why(stack: Stack) -> None:
    stack.plugin("import not_installed")
    failed = error(act(cold_start(), "fire", detail=created("hello")))
    assert failed["type"] == "HookFailed"
    assert "add the package that brings 'not_installed'" in str(failed["message"])


def test_what_fire_tells_is_bounded(stack: Stack) -> None:
    stack.plugin("""
        async def memory_created(memory, context):
            for number in range(200):
                context["logger"].info("%s %s", number, memory.content)
            return object() if memory.content == "short" else "x" * 500_000
        """)
    handler = cold_start()
    short = ok(act(handler, "fire", detail=created("short")))
    long = ok(act(handler, "fire", detail=created("y" * 1000)))
    assert len(cast("list[str]", short["logs"])) == 100
    assert str(short["returned"]).startswith("<object object at")
    assert sum(map(len, cast("list[str]", long["logs"]))) == 10 * 1024
    assert len(str(long["returned"])) == 1000


def test_an_endpoint_gets_the_request_and_the_users_context(stack: Stack) -> None:
    answer = endpoint(
        stack,
        """
        async def counts(request, context):
            user = [context[key] for key in ("user_id", "session_id", "project")]
            return [request.method, request.path, dict(request.path_params), dict(request.query), user,
                    context["metadata"]]
        """.replace("\n        ", "\n"),
    )
    assert ok(answer) == {
        "status": 200,
        "headers": {},
        "body": [
            "GET",
            "/counts/today",
            {"day": "today"},
            {"limit": "3"},
            ["ann", "s", "home"],
            {
                "client": "curl",
                "event_id": EVENT["id"],
                "hook": "counts",
                "occurred_at": "2026-11-22T12:00:00+00:00",
            },
        ],
        "content_type": "application/json",
    }


def test_an_endpoint_may_answer_a_status_headers_and_a_text(stack: Stack) -> None:
    answer = endpoint(
        stack,
        """
from plugin_kit.models import EndpointResponse

async def counts(request, context):
    return EndpointResponse(status=201, body="day,count", headers={"X-Rows": "1"}, content_type="text/csv")
""",
    )
    assert ok(answer) == {
        "status": 201,
        "headers": {"X-Rows": "1"},
        "body": "day,count",
        "content_type": "text/csv",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no such day')", "ValueError: no such day"),
        ("return {1, 2}", "the endpoint answered what is not JSON: Object of type set is not JSON serializable"),
        ("return 'x' * 50_000_000", "the endpoint answered 50.0 MB: answer at most 5 MB"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_an_endpoint_that_fails_or_answers_nonsense_is_named(stack: Stack, body: str, message: str) -> None:
    failed = error(endpoint(stack, f"async def counts(request, context):\n    {body}"))
    assert (failed["type"], failed["message"]) == ("HookFailed", message)


def test_no_function_is_called_that_is_not_an_endpoints_handler(stack: Stack) -> None:
    stack.plugin("async def memory_created(memory, context): say('called')", endpoints=[])
    answer = act(cold_start(), "endpoint", handler="memory_created", request=REQUEST, event=EVENT)
    assert error(answer)["type"] == "NoSuchHandler"
    assert stack.said == []


def test_a_direct_call_sees_the_config_of_now(stack: Stack) -> None:
    stack.plugin(
        """
        async def memory_created(memory, context):
            return dict(context["server_config"]["config"])
        """,
        config={"properties": {"days": {"type": "integer", "default": 7}}},
    )
    handler = cold_start()

    def fired() -> JsonValue:
        return ok(act(handler, "fire", detail=created("hello")))["returned"]

    assert fired() == {"days": 7}
    stack.set_config(days=30)
    assert fired() == {"days": 30}
