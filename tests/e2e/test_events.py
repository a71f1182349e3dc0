"""From a request to a plugin's own tables, in the plugin's own process."""

from __future__ import annotations

import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import httpx
import psycopg
import pytest

from tests.e2e.stack import START_SECONDS, Stack

pytestmark = pytest.mark.timeout(START_SECONDS + 100)

PLUGIN = "memory-server-plugin-memory_analytics"
# What a plugin could do at its worst: look around in its process.
SPY = """
import importlib.metadata, importlib.util, os

def handler(request, context):
    found = [name for name in request["modules"] if importlib.util.find_spec(name)]
    return {"found": found, "dateutil": importlib.metadata.version("python-dateutil"), "environment": dict(os.environ)}
"""


def test_memory_analytics_counts_a_memory_within_2_seconds(stack: Stack) -> None:
    project = "counted soon"

    create(stack, "The deploy key lives in the vault.", project)

    assert count_within(stack, project, expected=1, seconds=2) == 1


def test_a_plugins_process_sees_its_own_packages_and_none_of_the_servers(stack: Stack) -> None:
    found = spy(stack)

    assert found["found"] == ["plugin_kit", "plugin"]
    assert found["dateutil"] == "2.8.2"
    assert version("python-dateutil") != "2.8.2"


def test_a_plugins_process_sees_no_secret(stack: Stack) -> None:
    (secret_arn, *_) = [
        secret["ARN"]
        for secret in stack.aws.secrets.list_secrets()["SecretList"]
        if "ServerSecret" in secret.get("Name", "") and "ARN" in secret
    ]
    secret = stack.aws.secrets.get_secret_value(SecretId=secret_arn)["SecretString"]
    password = (stack.data_dir / "postgres" / "admin_password").read_text()

    environment = json.dumps(spy(stack)["environment"])

    assert secret not in environment
    assert password not in environment


def test_a_kill_during_writes_loses_no_memory_and_counts_each_once(stack: Stack) -> None:
    project = "killed"

    def write(number: int) -> str | None:
        try:
            return create(stack, f"memory number {number}", project)
        except httpx.HTTPError:
            return None

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(write, number) for number in range(200)]
        while sum(write.done() for write in writes) < 100:
            time.sleep(0.005)
        stack.kill_all()
    answered = [memory_id for write in writes if (memory_id := write.result()) is not None]
    stack.start()

    assert 100 <= len(answered) < 200
    with psycopg.connect(stack.admin_dsn) as connection:
        stored = [str(row[0]) for row in connection.execute("SELECT id FROM memories WHERE project = %s", [project])]
    assert set(answered) <= set(stored)
    assert len(stored) == len(set(stored))
    assert count_within(stack, project, expected=len(stored), seconds=30) == len(stored)
    time.sleep(2)
    assert count(stack, project) == len(stored)


def create(stack: Stack, content: str, project: str) -> str:
    """Store a memory and return its id."""
    answer = stack.http.post("/memories", json={"content": content, "project": project})
    return answer.raise_for_status().json()["id"]


def count(stack: Stack, project: str) -> int:
    """Return how many memories of ``project`` memory_analytics saw created."""
    query = "SELECT count(*) FROM plugin_memory_analytics.operations WHERE hook = %s AND project = %s"
    try:
        with psycopg.connect(stack.admin_dsn) as connection:
            row = connection.execute(query, ["memory_created", project]).fetchone()
    except psycopg.errors.UndefinedTable:  # the plugin makes it when it has its first event
        return 0
    return int(row[0]) if row else 0


def count_within(stack: Stack, project: str, *, expected: int, seconds: float) -> int:
    """Return the count when it has reached ``expected``, or the one after ``seconds``."""
    until = time.monotonic() + seconds
    while (counted := count(stack, project)) < expected and time.monotonic() < until:
        time.sleep(0.05)
    return counted


def spy(stack: Stack) -> dict[str, object]:
    """Return what code sees that runs as memory_analytics runs: with its layers, in its environment."""
    functions = stack.aws.functions
    configuration = functions.get_function_configuration(FunctionName=PLUGIN)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("spy.py", SPY)
    name = f"spy-{time.monotonic_ns()}"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="spy.handler",
        Role=configuration.get("Role", ""),
        Code={"ZipFile": archive.getvalue()},
        Layers=[layer.get("Arn", "") for layer in configuration.get("Layers", [])],
        Environment={"Variables": configuration.get("Environment", {}).get("Variables", {})},
        Timeout=30,
    )
    try:
        modules = ["plugin_kit", "plugin", "memory_server", "memory_api", "fastapi", "psycopg", "onnxruntime", "mangum"]
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"modules": modules}))
        return json.loads(answer["Payload"].read())
    finally:
        functions.delete_function(FunctionName=name)
