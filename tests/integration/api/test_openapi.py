"""The OpenAPI document, and the API held against it by schemathesis."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.aws import AwsStack
from tests.fixtures.signed_in import Keyring
from tests.integration.api.deployed_plugin import deployed

# A schema cannot say that a time must lie ahead, that until comes after since, or how many bytes a text may have: so
# data that fits it may be refused, and a check that all of it is accepted would be wrong. Nor does a deleted memory
# lose its history, which is below its path.
UNFIT = "positive_data_acceptance,use_after_free"
ENDPOINTS = [
    {"method": "GET", "path": "/notes/{note}", "handler": "show", "summary": "Show a note"},
    {
        "method": "PUT",
        "path": "/notes/{note}",
        "handler": "write",
        "summary": "Write a note",
        "request": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"$ref": "#/$defs/text"}, "marks": {"type": "array", "items": {"type": "integer"}}},
            "$defs": {"text": {"type": "string", "minLength": 1}},
        },
        "response": {"type": "string"},
    },
]
SOURCE = """
async def show(request, context):
    return {"note": request.path_params["note"]}

async def write(request, context):
    return request.body["text"]
"""


@pytest.fixture(scope="module", autouse=True)
def plugin(
    stack: AwsStack, plugin_functions: dict[str, Callable[[bytes], bytes]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A plugin with endpoints, which are part of the document."""
    with deployed(stack, plugin_functions, tmp_path_factory.mktemp("plugin")) as plugin:
        plugin.deploy(SOURCE, enabled=True, endpoints=ENDPOINTS)
        yield


def test_schemathesis_finds_no_fault(over_uvicorn: httpx.Client, tmp_path: Path) -> None:
    document = over_uvicorn.get("/openapi.json").json()
    assert len([path for path in document["paths"] if path.endswith("/notes/{note}")]) == 1
    (tmp_path / "schemathesis.toml").write_text("")
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{over_uvicorn.base_url}/openapi.json"),
        *("--header", f"Authorization: Bearer {Keyring().key_of('schemathesis')}"),
        *("--checks", "all", "--exclude-checks", UNFIT),
        *("--max-examples", "15", "--seed", "1", "--generation-deterministic"),
        *("--request-timeout", "20", "--no-color"),
    ]

    run = subprocess.run(command, cwd=tmp_path, env={**os.environ, "COLUMNS": "150"}, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    assert "tested" in run.stdout.lower()
