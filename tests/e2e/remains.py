"""What is left of a text in every store of a running stack: tables, objects, queues."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.e2e.stack import Stack

_PACKAGES = "-artifacts"
"""How the name of the bucket ends that has what is deployed, which nobody but a deployment writes."""
_GZIP = b"\x1f\x8b"
_TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


class Remains:
    """The stores of ``stack``, whose emulator stays the one that runs now."""

    def __init__(self, stack: Stack) -> None:
        self._dsn = stack.admin_dsn
        self._aws = stack.aws

    def of(self, text: str) -> set[str]:
        """Return the stores that hold ``text``, each a name after ``sql:``, ``dynamodb:``, ``s3:`` or ``sqs:``."""
        stores = (self._rows(), self._items(), self._objects(), self._messages())
        return {name for store in stores for name, content in store if text.encode() in content}

    def dead_letters(self, plugin_id: str) -> int:
        """Return how many dead letters the plugin has."""
        sqs, name = self._aws.sqs, "ApproximateNumberOfMessages"
        (url,) = [url for url in sqs.list_queues().get("QueueUrls", []) if url.endswith(f"-{plugin_id}-dead")]
        return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])

    def _rows(self) -> Iterator[tuple[str, bytes]]:
        with psycopg.connect(self._dsn) as connection:
            for schema, table in connection.execute(_TABLES).fetchall():
                query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, table))
                for (row,) in connection.execute(query):
                    yield f"sql:{schema}.{table}", str(row).encode()

    def _items(self) -> Iterator[tuple[str, bytes]]:
        dynamodb = self._aws.dynamodb
        for table in dynamodb.list_tables()["TableNames"]:
            for page in dynamodb.get_paginator("scan").paginate(TableName=table):
                for item in page["Items"]:
                    yield f"dynamodb:{table}", json.dumps(item, default=repr).encode()

    def _objects(self) -> Iterator[tuple[str, bytes]]:
        s3 = self._aws.s3
        for name in [bucket.get("Name", "") for bucket in s3.list_buckets()["Buckets"]]:
            if name.endswith(_PACKAGES):
                continue
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
                for key in [item.get("Key", "") for item in page.get("Contents", [])]:
                    content = s3.get_object(Bucket=name, Key=key)["Body"].read()
                    yield f"s3:{key}", key.encode() + content
                    if content.startswith(_GZIP):
                        yield f"s3:{key}", gzip.decompress(content)

    def _messages(self) -> Iterator[tuple[str, bytes]]:
        sqs = self._aws.sqs
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
