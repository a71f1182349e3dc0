"""What stands around a plugin's Lambda: its queue, its tables, the bucket of large events, and Lambda's own poller."""

from __future__ import annotations

import importlib.util
import json
import logging
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from plugin_kit.aws import Aws
from plugin_kit.envelope import SOURCE, Event, encode
from plugin_kit.json_types import JsonObject, JsonValue, dumps
from plugin_kit.models import Memory

PLUGIN_ID = "my_plugin"
BUCKET = "the-events"
SECRET = "memory/plugin/my_plugin"
HANDLER = Path(__file__).parents[3] / "functions/plugin_host/handler.py"
PLUGIN = """
from pathlib import Path

PLUGIN_INFO = {{"name": "My Plugin", "version": "1.0", "description": "d", "author": "a", "hooks": ["memory_created"]}}
PLUGIN_INFO |= {info!r}

def say(word):
    with (Path(__file__).parent / "said").open("a") as file:
        file.write(word + "\\n")

{source}
"""
SAYS_THE_CONTENT = """
async def memory_created(memory, context):
    say(memory.content)
"""

Handler = Callable[[object, LambdaContext], JsonObject]


class Invocation(LambdaContext):
    """The context of one invocation, with the time that is left of it."""

    def __init__(self, seconds_left: float) -> None:
        self._milliseconds = int(seconds_left * 1000)
        self._aws_request_id = "the request"

    def get_remaining_time_in_millis(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]  # static there
        return self._milliseconds


class Stack:
    """The stack of the plugin in ``folder``; every ``cold_start`` is a new execution environment of its function."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.aws = Aws()
        for table, sort_key in (("plugins", "record"), ("deliveries", "event_id"), ("log", "delivery_id")):
            self.aws.dynamodb.create_table(
                TableName=table,
                AttributeDefinitions=[
                    {"AttributeName": "plugin_id", "AttributeType": "S"},
                    {"AttributeName": sort_key, "AttributeType": "S"},
                ],
                KeySchema=[
                    {"AttributeName": "plugin_id", "KeyType": "HASH"},
                    {"AttributeName": sort_key, "KeyType": "RANGE"},
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        self.aws.dynamodb.create_table(
            TableName="erasures",
            AttributeDefinitions=[{"AttributeName": "user_sha256", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "user_sha256", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.aws.s3.create_bucket(Bucket=BUCKET)
        self.aws.secrets_manager.create_secret(Name=SECRET, SecretString="{}")
        self.queue_url = self.aws.sqs.create_queue(QueueName="plugin", Attributes={"VisibilityTimeout": "180"})[
            "QueueUrl"
        ]
        self.environment = {
            "PLUGIN_ID": PLUGIN_ID,
            "PLUGIN_PATH": str(folder),
            "PLUGINS_TABLE": "plugins",
            "DELIVERIES_TABLE": "deliveries",
            "QUEUE_URL": self.queue_url,
            "GATEWAY_ALIAS_ARN": "arn:aws:lambda:us-east-1:123456789012:function:gateway:plugin-my_plugin",
            "EVENTS_BUCKET": BUCKET,
            "FILES_BUCKET": BUCKET,
            "DELIVERY_LOG_TABLE": "log",
            "ERASURES_TABLE": "erasures",
            "PLUGIN_SECRET": SECRET,
        }
        self.plugin(SAYS_THE_CONTENT)
        self.set_enabled(True)

    def plugin(self, source: str, **info: object) -> None:
        """Deploy a plugin whose functions are ``source``; ``say(word)`` is there to tell that they ran."""
        (self.folder / "plugin.py").write_text(PLUGIN.format(source=textwrap.dedent(source), info=info))

    @property
    def said(self) -> list[str]:
        file = self.folder / "said"
        return file.read_text().splitlines() if file.exists() else []

    def set_enabled(self, enabled: bool, log_level: str = "INFO") -> None:
        registration = {"enabled": {"BOOL": enabled}, "log_level": {"S": log_level}}
        self.aws.dynamodb.put_item(
            TableName="plugins", Item={"plugin_id": {"S": PLUGIN_ID}, "record": {"S": "registration"}, **registration}
        )

    def set_config(self, **values: JsonValue) -> None:
        self.aws.dynamodb.put_item(
            TableName="plugins",
            Item={"plugin_id": {"S": PLUGIN_ID}, "record": {"S": "config"}, "values": {"S": dumps(values)}},
        )

    def set_secrets(self, **values: str) -> None:
        self.aws.secrets_manager.put_secret_value(SecretId=SECRET, SecretString=dumps(values))

    def remove(self) -> None:
        self.aws.dynamodb.delete_item(
            TableName="plugins", Key={"plugin_id": {"S": PLUGIN_ID}, "record": {"S": "registration"}}
        )

    @property
    def statistics(self) -> dict[str, str]:
        """The plugin's statistics, every value as text."""
        key = {"plugin_id": {"S": PLUGIN_ID}, "record": {"S": "statistics"}}
        item = self.aws.dynamodb.get_item(TableName="plugins", Key=key).get("Item", {})
        return {name: str(next(iter(value.values()))) for name, value in item.items() if name not in key}

    @property
    def log(self) -> list[dict[str, str]]:
        """The entries of the delivery log from old to new, every value as text."""
        items = self.aws.dynamodb.scan(TableName="log", ConsistentRead=True)["Items"]
        entries = [{name: str(next(iter(value.values()))) for name, value in item.items()} for item in items]
        return sorted(entries, key=lambda entry: entry["delivery_id"])

    def send(self, *details: JsonObject) -> None:
        """Put events on the queue, as the rule does."""
        for detail in details:
            self.send_message({"source": SOURCE, "detail-type": detail["hook"], "detail": detail})

    def send_message(self, body: JsonObject) -> None:
        self.aws.sqs.send_message(QueueUrl=self.queue_url, MessageBody=dumps(body))

    def receive(self, *, wait_seconds: int = 0) -> list[dict[str, object]]:
        """Return the messages that can be seen, as the records of a Lambda event."""
        answer = self.aws.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            {
                "messageId": message.get("MessageId"),
                "receiptHandle": message.get("ReceiptHandle"),
                "body": message.get("Body"),
                "attributes": message.get("Attributes"),
                "eventSource": "aws:sqs",
            }
            for message in answer.get("Messages", [])
        ]

    def change_visibility(self, receipt_handle: str, seconds: int = 0) -> None:
        """Let a message be seen again; one that was deleted stays deleted."""
        self.aws.sqs.change_message_visibility_batch(
            QueueUrl=self.queue_url,
            Entries=[{"Id": "0", "ReceiptHandle": receipt_handle, "VisibilityTimeout": seconds}],
        )

    def poll(self, handler: Handler, *, wait_seconds: int = 0, seconds_left: float = 30) -> list[int]:
        """Hand the queue's messages to ``handler`` as Lambda does; return the places of those that failed."""
        return self.deliver(handler, self.receive(wait_seconds=wait_seconds), seconds_left=seconds_left)

    def deliver(self, handler: Handler, records: list[dict[str, object]], *, seconds_left: float = 30) -> list[int]:
        """Hand ``records`` to ``handler`` and take off the queue those that did not fail; return the others' places."""
        answer = handler({"Records": records}, Invocation(seconds_left))
        failures = cast("list[dict[str, str]]", answer["batchItemFailures"])
        failed = [failure["itemIdentifier"] for failure in failures]
        for record in records:
            if record["messageId"] not in failed:
                self.aws.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=str(record["receiptHandle"]))
        return [place for place, record in enumerate(records) if record["messageId"] in failed]

    @property
    def queue_length(self) -> int:
        """How many messages there are, seen and unseen."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        attributes = self.aws.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["All"])["Attributes"]
        return sum(int(attributes[name]) for name in names)


def cold_start() -> Handler:
    """Return the handler of a new execution environment, which knows no logger of the plugin's yet."""
    for name in (PLUGIN_ID, f"{PLUGIN_ID}.plugin"):
        logging.root.manager.loggerDict.pop(name, None)
    spec = importlib.util.spec_from_file_location("handler", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Handler, module.handler)


def act(function: Handler, action: str, **request: JsonValue) -> JsonObject:
    """Return what the function answers to a direct call, as Lambda brings it."""
    return cast(JsonObject, json.loads(dumps(function({"action": action, **request}, Invocation(30)))))


def created(
    content: str,
    number: int = 1,
    *,
    hook: str = "memory_created",
    metadata: JsonObject | None = None,
    sequenced: bool = False,
) -> dict[str, JsonValue]:
    """Return the detail of the event that a memory of ``content`` was created."""
    event = Event(
        id=f"01890a5d-ac96-774b-bcce-{number:012}",
        hook=hook,
        time=datetime(2026, 11, 22, 12, tzinfo=UTC),
        args={"memory": Memory(id=str(number), content=content, project="home")} if hook == "memory_created" else {},
        metadata=metadata or {},
        sequenced=sequenced,
        user_id="local",
        project="home",
        plugins=(PLUGIN_ID,),
        grant="the grant",
    )
    return encode(event)
