"""What happened to a user before an erasure reaches no plugin, and leaves nothing behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plugin_kit.erasures import digest_of
from plugin_kit.json_types import JsonObject
from tests.integration.plugin_host.stack import BUCKET, Stack, cold_start, created

HAPPENED = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = HAPPENED + timedelta(microseconds=1)
WRITES = (
    "await files.write('kept', b'words')",
    "async with files.writer('kept') as out: await out.write(b'words')",
    "async with files.writer('kept') as out: await out.write(b'w' * (9 << 20))",
)


def erase(stack: Stack, at: datetime, user_id: str = "local") -> None:
    item = {"user_sha256": {"S": digest_of(user_id)}, "erased_at": {"S": at.isoformat()}}
    stack.aws.dynamodb.put_item(TableName="erasures", Item=item)


def test_an_event_from_before_the_erasure_is_dropped_and_later_and_others_ones_are_not(stack: Stack) -> None:
    erase(stack, HAPPENED)
    later, others = {**created("later", 2), "time": LATER.isoformat()}, {**created("other's", 3), "user_id": "other"}
    stack.send(created("before", 1), later, others)
    assert stack.poll(cold_start()) == []
    assert sorted(stack.said) == ["later", "other's"]
    assert stack.queue_length == 0
    assert sorted(entry["result"] for entry in stack.log) == ["delivered", "delivered", "dropped"]


def test_what_a_dropped_event_refers_to_is_not_asked_for(stack: Stack) -> None:
    erase(stack, HAPPENED)
    detail = {name: value for name, value in created("large").items() if name != "args"}
    stack.send({**detail, "args_ref": {"bucket": BUCKET, "key": "events/erased.json"}})
    assert stack.poll(cold_start()) == []
    assert [entry["result"] for entry in stack.log] == ["dropped"]


def test_a_task_is_of_the_time_of_what_led_to_it(stack: Stack) -> None:
    stack.plugin("async def go_on(arguments, context): say(arguments['part'])", hooks=[], tasks=["go_on"])
    erase(stack, HAPPENED)
    task: JsonObject = {"task": "go_on", "time": LATER.isoformat(), "user_id": "local"}
    for number, since in enumerate((HAPPENED, LATER)):
        message = {**task, "id": f"t{number}", "since": since.isoformat(), "arguments": {"part": str(number)}}
        stack.send_message(message)
    assert stack.poll(cold_start()) == []
    assert stack.said == ["1"]


@pytest.mark.parametrize("write", WRITES)
def test_a_file_that_is_written_while_the_user_is_erased_is_taken_back(stack: Stack, write: str) -> None:
    source = f"""
        import boto3

        async def memory_created(memory, context):
            files = context["database_service"].files
            if memory.content == "too late":
                item = {{"user_sha256": {{"S": "{digest_of("local")}"}}, "erased_at": {{"S": "{LATER.isoformat()}"}}}}
                boto3.client("dynamodb").put_item(TableName="erasures", Item=item)
            {write}
        """
    stack.plugin(source, permissions=["files"])
    function = cold_start()
    stack.send(created("in time"))
    assert stack.poll(function) == []
    (file,) = stack.aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    key = file.get("Key", "")
    assert digest_of("local") in key
    stack.aws.s3.delete_object(Bucket=BUCKET, Key=key)

    stack.send(created("too late", 2))
    assert stack.poll(function) == [0]
    assert "Contents" not in stack.aws.s3.list_objects_v2(Bucket=BUCKET)


def test_an_error_of_a_user_who_was_erased_meanwhile_is_told_without_its_words(stack: Stack) -> None:
    stack.plugin(f"""
        import boto3

        async def memory_created(memory, context):
            item = {{"user_sha256": {{"S": "{digest_of("local")}"}}, "erased_at": {{"S": "{LATER.isoformat()}"}}}}
            boto3.client("dynamodb").put_item(TableName="erasures", Item=item)
            raise ValueError(memory.content)
        """)
    stack.send(created("the secret"))
    assert stack.poll(cold_start()) == [0]
    assert "the secret" not in str((stack.log, stack.statistics))
    assert [entry["result"] for entry in stack.log] == ["failed"]
    assert stack.statistics["failed"] == "1"


def test_an_error_is_kept_under_the_hash_of_its_user(stack: Stack) -> None:
    stack.plugin("async def memory_created(memory, context): raise ValueError(memory.content)")
    stack.send(created("quoted"))
    stack.poll(cold_start())
    (entry,) = stack.log
    assert (entry["error"], entry["error_of"]) == ("ValueError: quoted", digest_of("local"))
    assert stack.statistics["last_error_of"] == digest_of("local")
