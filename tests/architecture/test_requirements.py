"""What is deployed is what is tested: the requirements of layers and functions are those of pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement

REPOSITORY: Final = Path(__file__).parents[2]
LAYERS: Final = ("layers/plugin_kit/python/requirements.txt", "layers/core/python/requirements.txt")
FUNCTIONS: Final = tuple(str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("functions/*/requirements.txt"))
OTHER_ENVIRONMENTS: Final = ("infra/local/requirements-aws.txt", "layers/embedding_model/requirements-export.txt")


def test_pyproject_asks_for_exactly_what_layers_and_functions_bring() -> None:
    brought = {pin for file in (*LAYERS, *FUNCTIONS) for pin in _pins(file).items()}
    assert sorted(brought) == sorted(_pyproject().items())


@pytest.mark.parametrize("file", OTHER_ENVIRONMENTS)
def test_an_environment_beside_the_servers_has_the_same_versions_of_what_both_have(file: str) -> None:
    pinned, pyproject = _pins(file), _pyproject()
    shared = pinned.keys() & pyproject.keys()
    assert shared
    assert {name: pinned[name] for name in shared} == {name: pyproject[name] for name in shared}


def _pins(file: str) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in (REPOSITORY / file).read_text().splitlines())
    return _by_name(line for line in lines if line)


def _pyproject() -> dict[str, str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return _by_name(project["dependencies"])


def _by_name(requirements: Iterable[str]) -> dict[str, str]:
    parsed = map(Requirement, requirements)
    return {requirement.name: f"{sorted(requirement.extras)}{requirement.specifier}" for requirement in parsed}
