"""What `sam build` made: each function's unzipped size with its layers, against Lambda's limit."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from infra.local.translate import Node, load

LIMIT: Final = 262_144_000  # bytes, the function and its layers together
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A function as Lambda unpacks it; sizes in bytes, ``layers`` by name."""

    name: str
    code: int
    layers: Mapping[str, int]

    @property
    def size(self) -> int:
        return self.code + sum(self.layers.values())


def packages(template: Path, *, prefix: str = "", outer: Mapping[str, int] | None = None) -> Iterator[Package]:
    """Yield the functions of a built template and of those nested in it.

    ``outer`` are the sizes of the layers that reach a nested template as parameters.
    """
    resources = cast("dict[str, Node]", load(template)["Resources"])
    layers = dict(outer or {})
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            layers[name] = _size(template.parent / str(_properties(resource)["ContentUri"]))
    shared = cast(Node, cast(Node, load(template).get("Globals", {})).get("Function", {})).get("Layers", [])
    for name, resource in resources.items():
        properties = _properties(resource)
        if resource["Type"] == "AWS::Serverless::Function":
            used = [*cast("list[Node]", shared), *cast("list[Node]", properties.get("Layers", []))]
            code = _size(template.parent / str(properties["CodeUri"]))
            yield Package(
                name=prefix + name, code=code, layers={str(ref["Ref"]): layers[str(ref["Ref"])] for ref in used}
            )
        elif resource["Type"] == "AWS::Serverless::Application":
            given = cast("dict[str, Node | str]", properties.get("Parameters", {}))
            references = {
                key: str(value["Ref"]) for key, value in given.items() if isinstance(value, Mapping) and "Ref" in value
            }
            passed = {key: layers[reference] for key, reference in references.items() if reference in layers}
            yield from packages(template.parent / str(properties["Location"]), prefix=f"{name}/", outer=passed)


def main(template: str) -> int:
    """Print a table of the functions of ``template`` and return 1 where one is too large for Lambda, else 0."""
    built = list(packages(Path(template)))
    for package in built:
        parts = " + ".join(f"{name} {size / _MEGABYTE:.1f}" for name, size in package.layers.items())
        print(f"{package.name:32}{package.size / _MEGABYTE:7.1f} MB = code {package.code / _MEGABYTE:.1f} + {parts}")
    return int(any(package.size >= LIMIT for package in built))


def _properties(resource: Node) -> Node:
    return cast(Node, resource.get("Properties", {}))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
