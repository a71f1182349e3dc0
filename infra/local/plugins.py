"""The plugins on one machine: each a stack of infra/plugin.yaml of its own, so that one that fails takes none along."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, cast

from infra.local import stacks
from infra.local.aws import REGION, Aws
from infra.local.build import RUNTIME, build, folder_of
from infra.local.errors import CannotRun
from infra.local.settings import PluginSettings
from infra.local.translate import Artifacts, Source, load, translate

PLUGINS: Final = Path(__file__).parents[2] / "plugins"
TEMPLATE: Final = Path(__file__).parents[1] / "plugin.yaml"
_SERVER_TEMPLATE: Final = Path(__file__).parents[2] / "template.yaml"
_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedPlugins:
    """The templates of the plugins to deploy, by their ids: their URLs and their parameters.

    ``failed`` says of each that cannot be built what is the matter.
    """

    templates: Mapping[str, tuple[str, Mapping[str, str]]]
    failed: Mapping[str, str]

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all of them."""
        return frozenset({*self.templates, *self.failed})


def upload(places: Artifacts, settings: PluginSettings, note: Callable[[str], None]) -> UploadedPlugins:
    """Build the plugins of ``settings`` and put them into ``places``.

    Raises:
        CannotRun: a plugin of the settings is not there.
    """
    folders = settings.folders(PLUGINS)
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        faults = dict(zip(folders, workers.map(partial(_build, note), folders.values()), strict=True))
    return UploadedPlugins(
        templates={
            name: _put(places, name, folder, settings) for name, folder in folders.items() if faults[name] is None
        },
        failed={name: fault for name, fault in faults.items() if fault is not None},
    )


def _build(note: Callable[[str], None], folder: Path) -> str | None:
    """Build the layer of the plugin in ``folder``; return what keeps that from being done."""
    source = Source(folder, "layer", built=True)
    try:
        target = folder_of(source)
        if not target.exists():
            note(f"building the plugin {folder.name}")
        build(source, target)
    except (CannotRun, OSError) as error:
        return str(error)
    return None


def _put(places: Artifacts, name: str, folder: Path, settings: PluginSettings) -> tuple[str, Mapping[str, str]]:
    parameters = {
        **_of_its_block(name),
        "PluginId": name,
        "PluginFolder": str(folder),
        "Runtime": RUNTIME,
        "MemorySize": str(settings.memory_megabytes),
        "Timeout": str(settings.timeout_seconds),
        "VisibilityTimeout": str(6 * settings.timeout_seconds),
        "EnabledPlugins": ",".join(settings.names),
        "RefusedPlugins": "Register",
    }
    return places.template(TEMPLATE, translate(TEMPLATE, parameters, places, region=REGION)), parameters


def _of_its_block(name: str) -> dict[str, str]:
    """Return what the block of the plugin in template.yaml sets in plain texts, where it has one."""
    resources = cast("Mapping[str, Mapping[str, Mapping[str, object]]]", load(_SERVER_TEMPLATE)["Resources"])
    for resource in resources.values():
        parameters = cast("Mapping[str, object]", resource.get("Properties", {}).get("Parameters", {}))
        if parameters.get("PluginId") == name:
            return {key: value for key, value in parameters.items() if isinstance(value, str)}
    return {}


def deploy(aws: Aws, plugins: UploadedPlugins, server: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """Make the stacks of ``plugins`` beside the stack ``server``; return what keeps some from coming up, by their ids.

    ``outputs`` are those of the server.
    """
    wanted = cast("Mapping[str, object]", load(TEMPLATE)["Parameters"])
    given = {name: value for name, value in outputs.items() if name in wanted}

    def create(name: str) -> str | None:
        url, parameters = plugins.templates[name]
        try:
            stacks.create(aws.cloudformation, f"{server}-plugin-{name.replace('_', '-')}", url, {**given, **parameters})
        except stacks.StackFailed as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as workers:
        faults = dict(zip(plugins.templates, workers.map(create, plugins.templates), strict=True))
    return {**plugins.failed, **{name: fault for name, fault in faults.items() if fault is not None}}


def forget_others(aws: Aws, deployed: Collection[str], outputs: Mapping[str, str], *, keep_data: bool) -> None:
    """Remove from the registry of the server with ``outputs`` what is not ``deployed`` any more."""
    registered = aws.dynamodb.query(
        TableName=outputs["PluginsTableName"],
        IndexName="by_record",
        KeyConditionExpression="#record = :record",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":record": {"S": "registration"}},
    )
    for item in registered["Items"]:
        name = item["plugin_id"].get("S", "")
        if name not in deployed:
            _remove(aws, outputs["RegistrarFunctionArn"], name, keep_data=keep_data)
            if not keep_data:
                _forget_secret(aws, f"{outputs['ServerName']}/plugin/{name}")


def _remove(aws: Aws, registrar: str, name: str, *, keep_data: bool) -> None:
    """Have the registrar do what it does when the stack of a plugin is deleted."""
    request = {
        "RequestType": "Delete",
        "ResponseURL": f"{aws.endpoint}/_ministack/cfn-response/nobody",
        "StackId": "",
        "RequestId": name,
        "ResourceType": "Custom::PluginRegistration",
        "LogicalResourceId": "Registration",
        "PhysicalResourceId": name,
        "ResourceProperties": {"PluginId": name, "KeepSchema": str(keep_data).lower()},
    }
    aws.functions.invoke(FunctionName=registrar, Payload=json.dumps(request))


def _forget_secret(aws: Aws, name: str) -> None:
    """Remove a secret that no stack has made in this start, and that is kept on disk from one before."""
    with suppress(aws.secrets.exceptions.ResourceExistsException):
        aws.secrets.create_secret(Name=name, SecretString="{}")
    aws.secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
