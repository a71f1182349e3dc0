"""The stacks on the emulator, made anew at each start: what they keep, the emulator kept on disk."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from infra.local import plugins, stacks
from infra.local.artifacts import ArtifactBucket
from infra.local.aws import REGION, Aws
from infra.local.build import RUNTIME
from infra.local.model import MODEL
from infra.local.plugins import UploadedPlugins
from infra.local.settings import Settings
from infra.local.translate import Artifacts, translate
from plugin_kit.json_types import JsonObject, JsonValue

NAME: Final = "memory-server"
_TEMPLATE: Final = Path(__file__).parents[2] / "template.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where the stack finds PostgreSQL, and who administers it."""

    host: str
    port: int
    name: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What is on the emulator to be deployed: the server's template with its parameters, and those of the plugins."""

    template_url: str
    parameters: Mapping[str, str]
    plugins: UploadedPlugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What the machine needs to know of the server's stack: the API's environment, two functions, its outputs."""

    api_environment: Mapping[str, str]
    relay_function: str
    gateway_function: str
    outputs: Mapping[str, str]


def upload(aws: Aws, database: Database, settings: Settings, note: Callable[[str], None]) -> Uploaded:
    """Build what the template and the settings name and put it on the emulator.

    Raises:
        CannotRun: a function or a layer of the server's cannot be built, or a plugin of the settings is not there.
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
        "EmbeddersALoad": "1",  # each would use all cores, and 250 MB
        **settings.limits.parameters,
    }
    with ArtifactBucket(aws, note) as bucket:

        def put(path: Path, template: JsonObject) -> str:
            return bucket.put_template(path, _for_few_cores(template))

        places = Artifacts(code=bucket.put_code, template=put)
        server = translate(_TEMPLATE, parameters, places, region=REGION, without=plugins.TEMPLATE)
        return Uploaded(
            template_url=put(_TEMPLATE, server),
            parameters=parameters,
            plugins=plugins.upload(places, settings.plugins, note),
        )


def _for_few_cores(template: JsonObject) -> JsonObject:
    """Return ``template`` with as few processes a plugin as AWS allows, and not ten that each wait for a core."""
    resources = copy.deepcopy(cast("dict[str, dict[str, JsonValue]]", template["Resources"]))
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            cast("dict[str, JsonValue]", resource["Properties"])["ScalingConfig"] = {"MaximumConcurrency": 2}
    return {**template, "Resources": resources}


def create(aws: Aws, uploaded: Uploaded, note: Callable[[str], None]) -> Stack:
    """Make the server's stack and return when it is there.

    Raises:
        StackFailed: it does not come up.
    """
    outputs = stacks.create(aws.cloudformation, NAME, uploaded.template_url, uploaded.parameters, note)

    def physical(logical_id: str) -> str:
        detail = aws.cloudformation.describe_stack_resource(StackName=NAME, LogicalResourceId=logical_id)
        return detail["StackResourceDetail"].get("PhysicalResourceId", "")

    configuration = aws.functions.get_function_configuration(FunctionName=physical("ApiFunction"))
    return Stack(
        api_environment={
            **configuration.get("Environment", {}).get("Variables", {}),
            **aws.environment_of(configuration.get("FunctionName", ""), configuration.get("Role", "")),
        },
        relay_function=physical("OutboxRelayFunction"),
        gateway_function=physical("PluginGatewayFunction"),
        outputs=outputs,
    )


def queue_urls(aws: Aws) -> list[str]:
    """Return the queues of the plugins, and their dead-letter queues."""
    return aws.sqs.list_queues(QueueNamePrefix=f"{NAME}-plugin-").get("QueueUrls", [])
