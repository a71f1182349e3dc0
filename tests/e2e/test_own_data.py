"""The page on sign-in does what it says, on the stack that its first command starts; users get all that is theirs."""

from __future__ import annotations

import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.e2e.pages import run
from tests.e2e.stack import REPOSITORY, START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 200)

BLOCKS = re.findall(r"```bash\n(.*?)```", (REPOSITORY / "docs" / "sign-in.md").read_text(), re.DOTALL)
SCOPES = ["memories:read", "memories:write", "plugins:read"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that asks for sign-in, where a user may have 1,000 memories."""
    folder = tmp_path_factory.mktemp("own_data")
    settings = folder / "settings.yaml"
    settings.write_text(
        '{"plugins": {"plugins": ["memory_analytics", "export_service"]}, "limits": {"memories_a_user": 1000}}'
    )
    stack = Stack(folder, settings, sign_in="required")
    stack.start()
    try:
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="module")
def first_key(stack: Stack) -> str:
    """The key that the first start prints."""
    return stack.first_key()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where commands are run."""
    return tmp_path


def bash(stack: Stack, folder: Path, command: str, key: str) -> str:
    """Return what a command of the page prints."""
    return run(
        command,
        stack,
        folder,
        **stack.aws.environment,
        PATH=f"{REPOSITORY / '.venv' / 'bin'}:{os.environ['PATH']}",
        MEMORY_SERVER_URL=stack.url,
        MEMORY_SERVER_KEY=key,
        REGISTRAR_FUNCTION_ARN=_output(stack, "RegistrarFunctionArn"),
    )


def _output(stack: Stack, name: str) -> str:
    (found,) = stack.aws.cloudformation.describe_stacks(StackName="memory-server")["Stacks"]
    return {item.get("OutputKey"): item.get("OutputValue", "") for item in found.get("Outputs", [])}[name]


def make_key(stack: Stack, folder: Path, first_key: str, user: str) -> str:
    scopes = " ".join(f"--scope {scope}" for scope in SCOPES)
    return json.loads(bash(stack, folder, f"memory-server keys create {user} {scopes} --json", first_key))["key"]


def client_of(stack: Stack, key: str) -> httpx.Client:
    return httpx.Client(base_url=stack.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def test_every_command_of_the_page_does_what_it_says(stack: Stack, first_key: str, folder: Path) -> None:
    start, bootstrap, keys, create, me, export, exports, erase = BLOCKS
    assert start == "make run SIGN_IN=required\n"  # what the stack is
    assert "mms_" in bash(stack, folder, bootstrap, first_key)

    made, listed, rotated, revoked = keys.splitlines()
    assert "mms_" in bash(stack, folder, made, first_key)
    (row,) = [line for line in bash(stack, folder, listed, first_key).splitlines() if "laptop" in line]
    named = row.split()[0]
    assert "mms_" in bash(stack, folder, rotated.replace("5f2c8d1e9a0b4c73", named), first_key)
    assert named in bash(stack, folder, revoked.replace("5f2c8d1e9a0b4c73", named), first_key)
    assert json.loads(bash(stack, folder, create, first_key))["requests_a_minute"] == 60

    key = make_key(stack, folder, first_key, "page")
    assert re.search(r"limits memories +1000", bash(stack, folder, me, key))
    assert "everything.zip has" in bash(stack, folder, export, key)
    assert '"status":"running"' in bash(stack, folder, exports.splitlines()[0], key).replace(" ", "")
    assert len(json.loads(bash(stack, folder, exports.splitlines()[1], key))["exports"]) == 1
    assert "Everything is erased" in bash(stack, folder, erase, key)


def test_a_user_gets_all_that_is_theirs_and_can_bring_the_memories_back(
    stack: Stack, first_key: str, folder: Path
) -> None:
    ana, ben = (make_key(stack, folder, first_key, user) for user in ("ana", "ben"))
    for user, key in (("ana", ana), ("ben", ben)):
        with client_of(stack, key) as client:
            kept = client.post("/memories", json={"content": f"{user} likes tea"}, headers={"Idempotency-Key": user})
            client.patch(kept.headers["Location"], json={"content": f"{user} likes coffee", "tags": [user]})
            client.delete(client.post("/memories", json={"content": f"{user} was here"}).headers["Location"])
    _wait_for_rows(stack, "ana")

    bash(stack, folder, "memory-server me export ana.zip", ana)

    files = _unpacked(folder / "ana.zip")
    (memory,) = files["memories.jsonl"]
    assert (memory["content"], memory["version"]) == ("ana likes coffee", 2)
    assert {version["content"] for version in files["memory_versions.jsonl"]} == {"ana likes tea", "ana was here"}
    assert [key["key"] for key in files["idempotency_keys.jsonl"]] == ["ana"]
    assert len(files["outbox.jsonl"]) == 4
    assert any(name.startswith("plugins/memory_analytics/") and rows for name, rows in files.items())
    assert [key["scopes"] for key in files["keys.jsonl"]] == [SCOPES]
    assert "ben" not in json.dumps(files)

    with client_of(stack, ana) as client:
        client.delete(f"/memories/{memory['id']}").raise_for_status()
        text = "".join(f"{json.dumps(row)}\n" for row in files["memories.jsonl"])
        body = {"format": "jsonl", "text": text}
        job = client.post("/plugins/export_service/imports", json=body).raise_for_status().json()
        deadline = time.monotonic() + 60
        while (found := client.get(f"/plugins/export_service/imports/{job['id']}").json())["state"] not in (
            "done",
            "failed",
        ):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        assert client.get(f"/memories/{memory['id']}").json()["content"] == "ana likes coffee"


def _wait_for_rows(stack: Stack, user: str) -> None:
    """Wait until memory_analytics has noted something of the user."""
    deadline = time.monotonic() + 60
    with psycopg.connect(stack.admin_dsn, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.columns "
            "WHERE table_schema = 'plugin_memory_analytics' AND column_name = 'user_id'"
        ).fetchall()
        assert tables
        while not any(
            connection.execute(
                f'SELECT FROM plugin_memory_analytics."{table}" WHERE user_id = %s LIMIT 1'.encode(), [user]
            ).fetchall()
            for (table,) in tables
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _unpacked(path: Path) -> dict[str, list[Any]]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jsonl")]
        return {name: [json.loads(line) for line in archive.read(name).splitlines()] for name in names}
