"""The stack of template.yaml on the emulator, made anew at each start: what it keeps, the emulator kept on disk."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from infra.local.artifacts import ArtifactBucket
from infra.local.aws import REGION, Aws
from infra.local.build import RUNTIME
from infra.local.errors import CannotRun
from infra.local.model import MODEL
from infra.local.translate import Artifacts, translate
from plugin_kit.json_types import JsonObject, JsonValue

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef

NAME: Final = "memory-server"
_TEMPLATE: Final = Path(__file__).parents[2] / "template.yaml"
_STACK_SECONDS: Final = 330  # longer than the registrar may take: CloudFormation waits an hour for one that crashed


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where the stack finds PostgreSQL, and who administers it."""

    host: str
    port: int
    name: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What the machine needs to know of the stack: the API's environment, two functions, the plugins' queues."""

    api_environment: Mapping[str, str]
    relay_function: str
    gateway_function: str
    queue_urls: tuple[str, ...]


def upload(aws: Aws, database: Database, note: Callable[[str], None]) -> tuple[str, dict[str, str]]:
    """Build what the template names and put it on the emulator; return the template's URL and its parameters.

    Raises:
        CannotRun: a function or a layer cannot be built.
    """
    secret = aws.secrets.create_secret(
        Name=f"{NAME}-database-admin",
        SecretString=json.dumps({"username": database.user, "password": database.password}),
    )
    parameters = {
        "Runtime": RUNTIME,
        "ModelPath": str(MODEL),
        "DatabaseHost": database.host,
        "DatabasePort": str(database.port),
        "DatabaseName": database.name,
        "DatabaseAdminSecretArn": secret["ARN"],
    }
    with ArtifactBucket(aws, note) as bucket:

        def put(path: Path, template: JsonObject) -> str:
            return bucket.put_template(path, _for_few_cores(template))

        places = Artifacts(code=bucket.put_code, template=put)
        return put(_TEMPLATE, translate(_TEMPLATE, parameters, places, region=REGION)), parameters


def _for_few_cores(template: JsonObject) -> JsonObject:
    """Return ``template`` with as few processes a plugin as AWS allows, and not ten that each wait for a core."""
    resources = copy.deepcopy(cast("dict[str, dict[str, JsonValue]]", template["Resources"]))
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            cast("dict[str, JsonValue]", resource["Properties"])["ScalingConfig"] = {"MaximumConcurrency": 2}
    return {**template, "Resources": resources}


def create(aws: Aws, template_url: str, parameters: Mapping[str, str], note: Callable[[str], None]) -> Stack:
    """Make the stack and return when it is there.

    Raises:
        CannotRun: a resource cannot be made.
    """
    cloudformation = aws.cloudformation
    cloudformation.create_stack(
        StackName=NAME,
        TemplateURL=template_url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        OnFailure="DO_NOTHING",  # rolling back would delete the bucket, and what is in it
    )
    status = _wait(cloudformation, note)
    if status != "CREATE_COMPLETE":
        raise CannotRun("the stack does not come up:\n" + "\n".join(_failures(cloudformation, NAME)))
    return _describe(aws)


def _wait(cloudformation: CloudFormationClient, note: Callable[[str], None]) -> str:
    """Return the status in which the stack comes to rest."""
    started = said = time.monotonic()
    while (status := cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"]).endswith("PROGRESS"):
        now = time.monotonic()
        if now - started > _STACK_SECONDS:
            raise CannotRun("the stack does not come up: aws.log in the folder of the logs may say why")
        if now - said > 1:
            note(_events(cloudformation, NAME)[0].get("LogicalResourceId", ""))
            said = now
        time.sleep(0.1)
    return status


def _describe(aws: Aws) -> Stack:
    def physical(logical_id: str) -> str:
        detail = aws.cloudformation.describe_stack_resource(StackName=NAME, LogicalResourceId=logical_id)
        return detail["StackResourceDetail"].get("PhysicalResourceId", "")

    configuration = aws.functions.get_function_configuration(FunctionName=physical("ApiFunction"))
    queues = aws.sqs.list_queues(QueueNamePrefix=f"{NAME}-plugin-")
    return Stack(
        api_environment=configuration.get("Environment", {}).get("Variables", {}),
        relay_function=physical("OutboxRelayFunction"),
        gateway_function=physical("PluginGatewayFunction"),
        queue_urls=tuple(queues.get("QueueUrls", [])),
    )


def _events(cloudformation: CloudFormationClient, stack: str) -> list[StackEventTypeDef]:
    """Return the latest events of ``stack``, newest first."""
    return cloudformation.describe_stack_events(StackName=stack)["StackEvents"]


def _failures(cloudformation: CloudFormationClient, stack: str) -> Iterator[str]:
    for event in reversed(_events(cloudformation, stack)):
        kind, resource = event.get("ResourceType", ""), event.get("PhysicalResourceId", "")
        if event.get("ResourceStatus") != "CREATE_FAILED" or resource == event["StackId"]:
            continue
        if kind == "AWS::CloudFormation::Stack" and resource:
            yield from _failures(cloudformation, resource)
        yield f"- {event.get('LogicalResourceId')} ({kind}): {event.get('ResourceStatusReason')}"
