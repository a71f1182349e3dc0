"""The templates of the stack, as they are written and as CloudFormation gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from infra.local.translate import Artifacts, Source, load, translate
from plugin_kit.json_types import JsonObject, JsonValue

REPOSITORY: Final = Path(__file__).parents[2]
ROOT: Final = REPOSITORY / "template.yaml"
PLUGIN: Final = REPOSITORY / "infra" / "plugin.yaml"


def address_of_code(source: Source) -> str:
    return f"s3://artifacts/{source.path.relative_to(REPOSITORY)}"


def address_of_template(path: Path, template: JsonObject) -> str:  # noqa: ARG001  # what stands there is not looked at
    return f"https://artifacts.example/{path.name}"


def translated(
    path: Path,
    parameters: Mapping[str, str],
    *,
    code: Callable[[Source], str] = address_of_code,
    template: Callable[[Path, JsonObject], str] = address_of_template,
) -> JsonObject:
    """Return the CloudFormation template of the one at ``path``; without a bucket its addresses lead nowhere."""
    return translate(path, parameters, Artifacts(code=code, template=template))


def written(path: Path) -> JsonObject:
    """Return the template at ``path`` as it is written."""
    return load(path)


def section(template: JsonObject, name: str) -> Mapping[str, JsonObject]:
    return cast("Mapping[str, JsonObject]", template[name])


def resources(template: JsonObject, kind: str) -> dict[str, JsonObject]:
    """Return the properties of the resources of type ``kind`` by their names."""
    return {
        name: cast(JsonObject, resource.get("Properties", {}))
        for name, resource in section(template, "Resources").items()
        if resource["Type"] == kind
    }


def statements(template: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield each statement of each role's own policies, with the role's name."""
    for role, properties in resources(template, "AWS::IAM::Role").items():
        for policy in cast("Sequence[JsonObject]", properties.get("Policies", [])):
            document = cast(JsonObject, policy["PolicyDocument"])
            for statement in cast("Sequence[JsonObject]", document["Statement"]):
                yield role, statement


def many(value: JsonValue) -> list[JsonValue]:
    """Return a list, which in a policy may stand as its one member."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
