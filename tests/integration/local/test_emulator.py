"""The emulator, killed as it works: what must outlive it does."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.aws import Aws
from infra.local.emulator import Emulator

TEMPLATE = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": "plugin_id", "AttributeType": "S"},
                    {"AttributeName": "record", "AttributeType": "S"},
                ],
                "KeySchema": [
                    {"AttributeName": "plugin_id", "KeyType": "HASH"},
                    {"AttributeName": "record", "KeyType": "RANGE"},
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by_record",
                        "KeySchema": [{"AttributeName": "record", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            },
        },
        "EmbeddingCacheTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "cache_key", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "cache_key", "KeyType": "HASH"}],
            },
        },
        "Bucket": {"Type": "AWS::S3::Bucket"},
    }
}


@contextmanager
def running(folder: Path) -> Generator[Emulator]:
    """The emulator over ``folder`` with the stack in it; leaving kills it, and all that it started, with SIGKILL."""
    emulator = Emulator(folder / "aws", folder / "aws.log")
    emulator.start()
    try:
        emulator.wait()
        deploy(emulator.aws)
        yield emulator
    finally:
        os.killpg(emulator.child.pid, signal.SIGKILL)
        emulator.stop()


def deploy(aws: Aws) -> None:
    aws.cloudformation.create_stack(StackName="memory", TemplateBody=json.dumps(TEMPLATE), OnFailure="DO_NOTHING")
    aws.cloudformation.get_waiter("stack_create_complete").wait(StackName="memory", WaiterConfig={"Delay": 1})


def physical(aws: Aws, logical_id: str) -> str:
    detail = aws.cloudformation.describe_stack_resource(StackName="memory", LogicalResourceId=logical_id)
    return detail["StackResourceDetail"].get("PhysicalResourceId", "")


def test_items_outlive_a_kill(tmp_path: Path) -> None:
    def key(plugin_id: str) -> dict[str, dict[str, str]]:
        return {"plugin_id": {"S": plugin_id}, "record": {"S": "statistics"}}

    with running(tmp_path) as emulator:
        client, table = emulator.aws.dynamodb, physical(emulator.aws, "Table")
        client.put_item(TableName=table, Item={**key("kept"), "note": {"S": "first"}})
        for _ in range(3):
            client.update_item(
                TableName=table,
                Key=key("kept"),
                UpdateExpression="ADD delivered :one SET note = :note",
                ExpressionAttributeValues={":one": {"N": "1"}, ":note": {"S": "second"}},
            )
        client.put_item(TableName=table, Item=key("deleted"))
        client.delete_item(TableName=table, Key=key("deleted"))
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": key("batched")}}]})
        client.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": table, "Key": key("batched")}},
                {"Put": {"TableName": table, "Item": key("transacted")}},
            ]
        )
        before = client.scan(TableName=table)["Items"]

    with running(tmp_path) as emulator:
        client = emulator.aws.dynamodb
        assert client.scan(TableName=table)["Items"] == before
        assert {item["plugin_id"].get("S") for item in before} == {"kept", "transacted"}
        assert client.get_item(TableName=table, Key=key("kept")).get("Item", {})["delivered"] == {"N": "3"}
        by_record = client.query(
            TableName=table,
            IndexName="by_record",
            KeyConditionExpression="#record = :record",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":record": {"S": "statistics"}},
        )
        assert len(by_record["Items"]) == 2


def test_a_change_that_its_condition_refuses_leaves_no_trace(tmp_path: Path) -> None:
    item = {"plugin_id": {"S": "echo"}, "record": {"S": "registration"}}
    with running(tmp_path) as emulator:
        client, table = emulator.aws.dynamodb, physical(emulator.aws, "Table")
        client.put_item(TableName=table, Item=item)
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.put_item(
                TableName=table,
                Item={**item, "note": {"S": "late"}},
                ConditionExpression="attribute_not_exists(plugin_id)",
            )

    with running(tmp_path) as emulator:
        assert emulator.aws.dynamodb.scan(TableName=table)["Items"] == [item]


def test_objects_outlive_a_kill_and_the_stack_takes_its_bucket_again(tmp_path: Path) -> None:
    with running(tmp_path) as emulator:
        bucket = physical(emulator.aws, "Bucket")
        emulator.aws.s3.put_object(Bucket=bucket, Key="events/1.json", Body=b"{}")

    with running(tmp_path) as emulator:
        assert physical(emulator.aws, "Bucket") == bucket
        assert emulator.aws.s3.get_object(Bucket=bucket, Key="events/1.json")["Body"].read() == b"{}"


def test_cached_vectors_are_not_written_to_disk(tmp_path: Path) -> None:
    with running(tmp_path) as emulator:
        table = physical(emulator.aws, "EmbeddingCacheTable")
        emulator.aws.dynamodb.put_item(TableName=table, Item={"cache_key": {"S": "q"}, "vector": {"B": b"abc"}})

    assert b"cache_key" not in (tmp_path / "aws" / "dynamodb.journal").read_bytes()
