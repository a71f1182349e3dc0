"""SAM templates to CloudFormation, in process: what AWS's own transform does, for stacks that stand elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

import boto3
from samtranslator.intrinsics.resolver import IntrinsicsResolver
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse  # pyright: ignore[reportUnknownVariableType]

from plugin_kit.json_types import JsonObject, JsonValue

Node: TypeAlias = "dict[str, JsonValue]"

_SOURCES: Final[Mapping[str, tuple[str, Literal["function", "layer"]]]] = {
    "AWS::Serverless::Function": ("CodeUri", "function"),
    "AWS::Serverless::LayerVersion": ("ContentUri", "layer"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that a template names as a function's or a layer's code.

    ``built`` is true where its requirements are to be installed; a layer without a BuildMethod is packed as it is.
    """

    path: Path
    kind: Literal["function", "layer"]
    built: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """Where built things go. Both answer with an address that changes exactly when the thing does.

    ``code`` returns the s3://bucket/key of a folder's zip; ``template`` the https URL of a translated nested template,
    given the template's path for a name.
    """

    code: Callable[[Source], str]
    template: Callable[[Path, JsonObject], str]


def translate(
    path: Path,
    parameters: Mapping[str, str],
    artifacts: Artifacts,
    *,
    region: str = "us-east-1",
    without: Path | None = None,
) -> dict[str, JsonValue]:
    """Return the CloudFormation template that the SAM template at ``path`` stands for, nested ones placed first.

    ``parameters`` are the values that the stack will be created with; those left out have their defaults. Stacks of the
    nested template ``without`` are left out.
    """
    template = load(path)
    resources = cast("dict[str, Node]", template["Resources"])
    for name, nested in list(_nested(path, resources)):
        if nested == without:
            del resources[name]
    return _translate(path, template, parameters, artifacts, region)


def load(path: Path) -> Node:
    """Return the SAM template at ``path`` as it stands, short intrinsics written out."""
    return cast(Node, yaml_parse(path.read_text()))


def _translate(
    path: Path, template: Node, parameters: Mapping[str, str], artifacts: Artifacts, region: str
) -> dict[str, JsonValue]:
    declared = cast("dict[str, Node]", template.get("Parameters", {}))
    defaults = {name: str(parameter["Default"]) for name, parameter in declared.items() if "Default" in parameter}
    known = {**defaults, **parameters}
    for resource in cast("dict[str, Node]", template["Resources"]).values():
        _place(path, resource, known, artifacts, region)
    translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=region))
    return cast("dict[str, JsonValue]", translator.translate(template, dict(parameters)))


def _nested(path: Path, resources: Mapping[str, Node]) -> Iterator[tuple[str, Path]]:
    """Yield the nested stacks of the template at ``path`` by their names, with the paths of their templates."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Application":
            yield name, (path.parent / str(cast(Node, resource["Properties"])["Location"])).resolve()


def _place(path: Path, resource: Node, known: Mapping[str, str], artifacts: Artifacts, region: str) -> None:
    """Put addresses in the place of the folders and files that ``resource`` names."""
    kind = str(resource["Type"])
    properties = cast(Node, resource.get("Properties", {}))
    if kind in _SOURCES:
        uri, source = _SOURCES[kind]
        folder = (path.parent / str(_resolve(properties[uri], known))).resolve()
        built = source == "function" or "BuildMethod" in cast(Node, resource.get("Metadata", {}))
        properties[uri] = artifacts.code(Source(folder, source, built))
    elif kind == "AWS::Serverless::Application":
        nested = (path.parent / str(properties["Location"])).resolve()
        given = cast(Node, _resolve(properties.get("Parameters", {}), known))
        translated = _translate_nested(nested, given, artifacts, region)
        properties["Location"] = artifacts.template(nested, translated)


def _translate_nested(path: Path, given: Node, artifacts: Artifacts, region: str) -> dict[str, JsonValue]:
    """Translate with what is known of the parameters that are ``given``; the rest only the outer stack will know."""
    template = load(path)
    known = {name: str(value) for name, value in given.items() if not isinstance(value, Mapping)}
    declared = cast("dict[str, Node]", template.get("Parameters", {}))
    for name in given.keys() - known.keys():
        declared[name].pop("Default", None)  # or the transform would take it for the value
    return _translate(path, template, known, artifacts, region)


def _resolve(value: JsonValue, known: Mapping[str, str]) -> JsonValue:
    """Return ``value`` with the references to known parameters replaced."""
    return cast(JsonValue, IntrinsicsResolver(dict(known)).resolve_parameter_refs(copy.deepcopy(value)))
