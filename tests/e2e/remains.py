"""What is left of a text in every store of a running stack: tables, objects, queues."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.e2e.stack import Stack

_GZIP = b"\x1f\x8b"
_TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


def holders(stack: Stack, text: str) -> set[str]:
    """Return the names of the stores that hold ``text``: ``sql:``, ``dynamodb:``, ``s3:`` and ``sqs:`` and the name."""
    return {name for name, content in _everything(stack) if text.encode() in content}


def _everything(stack: Stack) -> Iterator[tuple[str, bytes]]:
    yield from _rows(stack)
    yield from _items(stack)
    yield from _objects(stack)
    yield from _messages(stack)


def _rows(stack: Stack) -> Iterator[tuple[str, bytes]]:
    with psycopg.connect(stack.admin_dsn) as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, table))
            for (row,) in connection.execute(query):
                yield f"sql:{schema}.{table}", str(row).encode()


def _items(stack: Stack) -> Iterator[tuple[str, bytes]]:
    dynamodb = stack.aws.dynamodb
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                yield f"dynamodb:{table}", json.dumps(item, default=repr).encode()


def _objects(stack: Stack) -> Iterator[tuple[str, bytes]]:
    s3 = stack.aws.s3
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket.get("Name", "")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for item in page.get("Contents", []):
                key = item.get("Key", "")
                content = s3.get_object(Bucket=name, Key=key)["Body"].read()
                yield f"s3:{key}", key.encode() + content
                if content.startswith(_GZIP):
                    yield f"s3:{key}", gzip.decompress(content)


def _messages(stack: Stack) -> Iterator[tuple[str, bytes]]:
    sqs = stack.aws.sqs
    for url in sqs.list_queues().get("QueueUrls", []):
        seen: list[str] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get(
            "Messages", []
        ):
            for message in messages:
                seen.append(message.get("ReceiptHandle", ""))
                yield f"sqs:{url.rpartition('/')[2]}", message.get("Body", "").encode()
        for receipt in seen:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)
