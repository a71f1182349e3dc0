"""What the host tells of its deliveries: statistics, health, the delivery log, and what the server waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plugin_kit.json_types import JsonObject
from tests.integration.plugin_host.gateway import GatewayApi
from tests.integration.plugin_host.stack import SAYS_THE_CONTENT, Stack, cold_start, created

RAISES_AT_BAD = """
async def memory_created(memory, context):
    if memory.content == "bad":
        raise ValueError("I dislike it")
    say(memory.content)
"""


def deliver(stack: Stack, *contents: str, first: int = 1) -> None:
    stack.send(*(created(content, number) for number, content in enumerate(contents, first)))
    stack.poll(cold_start())


def test_failures_in_a_row_are_counted_from_the_last_delivery_on(stack: Stack) -> None:
    stack.plugin(RAISES_AT_BAD)
    deliver(stack, "bad", "bad", first=1)
    assert stack.statistics["consecutive_failures"] == "2"
    deliver(stack, "bad", first=3)
    assert stack.statistics["consecutive_failures"] == "3"
    deliver(stack, "bad", "good", "bad", first=4)
    assert stack.statistics["consecutive_failures"] == "1"
    deliver(stack, "good", first=7)
    assert (stack.statistics["consecutive_failures"], stack.statistics["failed"]) == ("0", "5")


def test_the_time_of_every_hook_that_ended_goes_into_a_histogram(stack: Stack) -> None:
    stack.plugin("""
        import asyncio

        async def memory_created(memory, context):
            if memory.content == "slow":
                await asyncio.sleep(0.21)
            if memory.content == "slow and bad":
                await asyncio.sleep(0.51)
                raise ValueError
        """)
    deliver(stack, "slow", "slow and bad", "quick")
    counts = {name: int(count) for name, count in stack.statistics.items() if name.startswith("ms_")}
    assert sum(counts.values()) == 3
    assert (counts["ms_500"], counts["ms_1000"]) == (1, 1)


@pytest.mark.parametrize(
    ("returned", "health"),
    [
        ("{'queue': 3}", '{"queue":3}'),
        ("None", "null"),
        ("object()", '{"fault":"health_check returned what is not JSON of at most 1024 bytes"}'),
        ("'x' * 2000", '{"fault":"health_check returned what is not JSON of at most 1024 bytes"}'),
    ],
)
def test_what_a_health_check_returns_is_the_plugins_health(stack: Stack, returned: str, health: str) -> None:
    stack.plugin(f"async def health_check(context):\n    return {returned}", hooks=["health_check"])
    stack.send(created("", hook="health_check"))
    assert stack.poll(cold_start()) == []
    assert stack.statistics["health"] == health
    assert datetime.fromisoformat(stack.statistics["health_at"]) > datetime.now(UTC) - timedelta(minutes=1)


def test_what_other_hooks_return_is_not_health(stack: Stack) -> None:
    stack.plugin("async def memory_created(memory, context):\n    return {'queue': 3}")
    deliver(stack, "hello")
    assert "health" not in stack.statistics


def test_every_attempt_is_in_the_delivery_log(stack: Stack) -> None:
    stack.plugin(RAISES_AT_BAD)
    handler = cold_start()
    stack.send(created("good", 1), created("bad", 2))
    stack.poll(handler)
    stack.poll(handler, wait_seconds=3)
    stack.set_enabled(False)
    stack.send(created("too late", 3))
    stack.poll(handler)
    shown = [(entry["event_id"][-1], entry["result"], entry["attempt"], entry.get("error")) for entry in stack.log]
    assert shown == [
        ("1", "delivered", "1", None),
        ("2", "failed", "1", "ValueError: I dislike it"),
        ("2", "failed", "2", "ValueError: I dislike it"),
        ("3", "dropped", "1", None),
    ]
    for entry in stack.log:
        assert entry["hook"] == "memory_created"
        assert entry["delivery_id"].endswith(f"#{entry['event_id']}#{entry['attempt']}")
        at = datetime.fromisoformat(entry["at"])
        assert int(entry["expires_at"]) == int((at + timedelta(days=7)).timestamp())
        assert ("milliseconds" in entry) == (entry["result"] != "dropped")


def test_a_message_that_cannot_be_read_is_in_the_delivery_log(stack: Stack) -> None:
    stack.aws.sqs.send_message(QueueUrl=stack.queue_url, MessageBody="[]")
    stack.poll(cold_start())
    (entry,) = stack.log
    assert (entry["result"], entry["hook"]) == ("failed", "")
    assert "it is no JSON object" in entry["error"]


def test_a_log_that_cannot_be_written_costs_no_delivery(stack: Stack) -> None:
    stack.aws.dynamodb.delete_table(TableName="log")
    deliver(stack, "hello")
    assert stack.statistics["delivered"] == "1"
    assert stack.queue_length == 0


def test_an_event_that_was_delivered_already_is_not_counted_again(stack: Stack) -> None:
    """Its message comes again although it was handled, as SQS may let it."""
    handler = cold_start()
    stack.send(created("hello"))
    (record,) = stack.receive()
    for receives in ("1", "2"):
        stack.deliver(handler, [{**record, "attributes": {"ApproximateReceiveCount": receives}}])
    assert (stack.said, stack.statistics["delivered"], len(stack.log)) == (["hello"], "1", 1)


def test_what_has_failed_too_often_in_a_row_is_told_to_the_server(
    stack: Stack, gateway: GatewayApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILURE_LIMIT", "3")
    stack.plugin(RAISES_AT_BAD)
    deliver(stack, "bad", "bad", first=1)
    assert gateway.requests == []
    deliver(stack, "bad", first=3)
    assert gateway.requests == [{"operation": "plugin.failing", "arguments": {}, "grant": None}]
    assert stack.statistics["consecutive_failures"] == "3"


def finished(outcome: str) -> JsonObject:
    return {"operation": "event.finished", "arguments": {"outcome": outcome}, "grant": "the grant"}


def test_the_end_of_a_sequenced_event_is_told_whenever_its_outcome_is_final(
    stack: Stack, gateway: GatewayApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_RECEIVES", "2")
    stack.plugin(RAISES_AT_BAD)
    handler = cold_start()
    stack.send(created("good", 1, sequenced=True), created("alone", 2), created("bad", 3, sequenced=True))
    assert stack.poll(handler) == [2]
    assert gateway.requests == [finished("delivered")]
    assert stack.poll(handler, wait_seconds=3) == [0]
    assert gateway.requests == [finished("delivered"), finished("failed")]
    stack.set_enabled(False)
    stack.send(created("too late", 4, sequenced=True))
    stack.poll(handler)
    assert gateway.requests[2:] == [finished("dropped")]


def test_the_end_of_an_event_that_comes_again_is_told_again(stack: Stack, gateway: GatewayApi) -> None:
    stack.plugin(SAYS_THE_CONTENT)
    handler = cold_start()
    for _ in range(2):
        stack.send(created("hello", sequenced=True))
        stack.poll(handler)
    assert stack.said == ["hello"]
    assert gateway.requests == [finished("delivered")] * 2


def test_the_end_of_an_event_is_told_a_second_time_where_the_gateway_fails(stack: Stack, gateway: GatewayApi) -> None:
    gateway.refusals = [500]
    stack.send(created("hello", sequenced=True))
    assert stack.poll(cold_start()) == []
    assert gateway.requests == [finished("delivered")]


def test_a_gateway_that_is_away_costs_no_delivery(stack: Stack, gateway: GatewayApi) -> None:
    gateway.refusals = [500] * 10
    stack.send(created("hello", sequenced=True))
    assert stack.poll(cold_start()) == []
    assert (stack.said, gateway.requests) == (["hello"], [])


def test_an_event_that_is_replayed_by_force_is_delivered_once_more(stack: Stack) -> None:
    handler = cold_start()
    for replay in (None, "r1", "r1", "r2"):
        stack.send(created("hello", metadata={} if replay is None else {"replay": replay}))
        stack.poll(handler)
    assert stack.said == ["hello"] * 3


def test_a_record_that_finds_no_time_left_is_put_off_and_not_counted(stack: Stack) -> None:
    stack.send(created("hello"))
    handler = cold_start()
    assert stack.poll(handler, seconds_left=0.9) == [0]
    assert (stack.said, stack.statistics, stack.log) == ([], {}, [])
    assert stack.poll(handler) == []
    assert stack.said == ["hello"]
