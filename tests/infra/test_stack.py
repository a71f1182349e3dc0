"""The stack comes up in moto, and what is put on its bus reaches the queues of the plugins that it names, no other.

moto runs no Lambda: what would run one at once is left out, and the tests of the local stack have it. The plugins
there are those nested in the server's stack, and one in a stack of its own.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import boto3
import pytest
from moto import mock_aws

from infra.local.translate import Source
from memory_server.adapters.aws import Clients
from plugin_kit.json_types import JsonObject
from tests.infra.templates import PLUGIN, REPOSITORY, ROOT, translated

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

REGION: Final = "eu-central-1"
NESTED: Final = "memory_analytics"
BUILT_IN: Final = sorted(file.parent.name for file in REPOSITORY.glob("plugins/*/plugin.py"))
SEPARATE: Final = "another"
RUNS_LAMBDA: Final = ("Custom::", "AWS::Lambda::EventSourceMapping")

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")  # moto makes what it knows, and says so


@dataclass(frozen=True)
class Stack:
    """A server of that name with the built-in plugins and one more; ``outputs`` are the server's."""

    name: str
    outputs: Mapping[str, str]

    def put(self, *, plugins: Sequence[str], source: str = "memory.server", bus: str | None = None) -> None:
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": bus or self.outputs["EventBusName"],
            "Source": source,
            "DetailType": "memory_created",
            "Detail": json.dumps({"plugins": plugins}),
        }
        answer = Clients().events.put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def received(self) -> dict[str, int]:
        """Return how many events are in each queue there is, by the queue's name, and empty them."""
        sqs = Clients().sqs
        counts: dict[str, int] = {}
        for url in sqs.list_queues().get("QueueUrls", []):
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))
            counts[url.rpartition("/")[2]] = len(messages)
        return counts

    def queues(self, **waiting: int) -> dict[str, int]:
        """Return what ``received`` returns where these plugins got so many events, and no other queue got one."""
        return {
            f"{self.name}-plugin-{plugin}{kind}": waiting.get(plugin, 0) if kind == "" else 0
            for plugin in (*BUILT_IN, SEPARATE)
            for kind in ("", "-dead")
        }


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        Clients().s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
        outputs = _create("memory", ROOT, {"DatabaseHost": "database.example"})
        wanted = translated(PLUGIN, {"PluginFolder": "../plugins/memory_analytics"})["Parameters"]
        given = {name: value for name, value in outputs.items() if name in cast(JsonObject, wanted)}
        folder = {"PluginId": SEPARATE, "PluginFolder": "../plugins/memory_analytics"}
        _create("memory-another", PLUGIN, {**given, **folder})
        yield Stack("memory", outputs)


def test_an_event_reaches_the_plugin_that_it_names(stack: Stack) -> None:
    stack.put(plugins=[NESTED])
    assert stack.received() == stack.queues(memory_analytics=1)


def test_a_plugin_in_a_stack_of_its_own_is_reached_as_well(stack: Stack) -> None:
    stack.put(plugins=[SEPARATE])
    assert stack.received() == stack.queues(another=1)


def test_an_event_reaches_all_the_plugins_that_it_names(stack: Stack) -> None:
    stack.put(plugins=[NESTED, SEPARATE, "a_plugin_that_is_not_there"])
    assert stack.received() == stack.queues(memory_analytics=1, another=1)


def test_an_event_that_names_no_plugin_reaches_none(stack: Stack) -> None:
    stack.put(plugins=[])
    assert stack.received() == stack.queues()


def test_an_event_of_another_source_reaches_no_plugin(stack: Stack) -> None:
    stack.put(plugins=[NESTED], source="somebody.else")
    assert stack.received() == stack.queues()


def test_an_event_on_another_bus_reaches_no_plugin(stack: Stack) -> None:
    stack.put(plugins=[NESTED], bus="default")
    assert stack.received() == stack.queues()


def test_with_a_database_given_no_network_is_made(stack: Stack) -> None:
    stacks = _cloudformation().describe_stacks()["Stacks"]
    assert len(stacks) == 2 + len(BUILT_IN)  # the server, the plugins nested in it, and the other plugin
    assert stack.outputs["ServerName"] in {it["StackName"] for it in stacks}


def _create(name: str, path: Path, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Make the stack of the template at ``path`` and return its outputs."""
    template = translated(path, parameters, code=_put_code, template=_put_template)
    cloudformation = _cloudformation()
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=_body(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    created = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert created["StackStatus"] == "CREATE_COMPLETE"
    return {output.get("OutputKey", ""): output.get("OutputValue", "") for output in created.get("Outputs", [])}


def _cloudformation() -> CloudFormationClient:
    return boto3.client("cloudformation")  # pyright: ignore[reportUnknownMemberType]  # few services have stubs


def _put_code(source: Source) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("handler.py", "")
    Clients().s3.put_object(Bucket="artifacts", Key=source.path.name, Body=archive.getvalue())
    return f"s3://artifacts/{source.path.name}"


def _put_template(path: Path, template: JsonObject) -> str:
    body = _body(template).encode()
    Clients().s3.put_object(Bucket="artifacts", Key=path.name, Body=body)
    return f"https://artifacts.s3.amazonaws.com/{path.name}"


def _body(template: JsonObject) -> str:
    resources = cast("Mapping[str, JsonObject]", template["Resources"])
    kept = {name: dict(it) for name, it in resources.items() if not str(it["Type"]).startswith(RUNS_LAMBDA)}
    for resource in kept.values():
        if resource.get("DependsOn") in resources.keys() - kept.keys():
            del resource["DependsOn"]
    return json.dumps({**template, "Resources": kept})
