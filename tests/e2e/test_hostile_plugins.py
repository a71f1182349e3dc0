"""Plugins as bad as can be, on a server that runs: it and the other plugins go on, and the status names the fault."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.e2e.plugin_folders import write_settings
from tests.e2e.stack import REPOSITORY, START_SECONDS, Stack
from tests.e2e.test_events import count_within

pytestmark = pytest.mark.timeout(START_SECONDS + 200)

HOSTILE: Final = Path(__file__).parent / "hostile"
SERVER: Final = "memory-server"
OTHER_USER: Final = "someone else"
TIMEOUT_SECONDS: Final = 6
MEGABYTE: Final = 1024 * 1024

Status: TypeAlias = "dict[str, dict[str, object]]"

# What the status says of each plugin once it had an event.
FAULTS: Final[Mapping[str, str]] = {
    "raises_in_hook": "RuntimeError: this hook fails on purpose",
    "hangs_awaiting": "TimeoutError: it took longer than",
    "exits_politely": "SystemExit: enough",
    "eats_memory": "MemoryError",
    "floods_log": "RuntimeError: all is written",
    "changes_process": "RuntimeError: the process is in ruins",
}
# Those whose process ends, so that nobody knows before the event comes again.
ENDED: Final = ("answers_past_python", "exits_at_once", "hangs_blocking")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with memory_analytics, and with all hostile plugins, which are off."""
    home = tmp_path_factory.mktemp("hostile")
    folders = sorted(path.parent for path in HOSTILE.glob("*/plugin.py"))
    stack = Stack(home, settings=write_settings(home / "settings.yaml", folders, timeout_seconds=TIMEOUT_SECONDS))
    stack.start()
    try:
        for folder in folders:
            post(stack, f"/plugins/disable/{folder.name}")
        yield stack
    finally:
        stack.close()


def test_a_plugin_that_cannot_be_imported_is_off_and_its_status_says_why(server: Stack) -> None:
    plugin = status(server, "raises_on_import")["plugin"]
    assert plugin["enabled"] is False
    assert "RuntimeError: this plugin does not want to be imported" in str(plugin["disabled_reason"])

    refusal = server.http.post("/plugins/enable/raises_on_import")

    assert refusal.status_code == 422
    assert "this plugin does not want to be imported" in refusal.json()["detail"]


@pytest.mark.parametrize("plugin_id", FAULTS)
def test_a_plugin_that_fails_harms_nobody_and_its_status_names_the_fault(server: Stack, plugin_id: str) -> None:
    (fault,) = provoke(server, plugin_id)

    assert FAULTS[plugin_id] in fault


def test_plugins_whose_process_ends_harm_nobody_and_their_status_says_so(server: Stack) -> None:
    faults = provoke(server, *ENDED)

    assert all("the process ended during the hook" in fault for fault in faults)


def test_a_flood_of_logs_reaches_neither_memory_nor_disk(server: Stack) -> None:
    emulator = server.process("infra.local.aws_process")
    log = server.data_dir / "logs" / "aws.log"
    before = emulator.memory_info().rss, log.stat().st_size

    provoke(server, "floods_log")

    assert emulator.memory_info().rss - before[0] < 100 * MEGABYTE
    assert log.stat().st_size - before[1] < 30 * MEGABYTE


def test_an_answer_of_50_mb_is_a_clean_problem(server: Stack) -> None:
    post(server, "/plugins/enable/answers_too_much")

    answer = server.http.get("/plugins/answers_too_much/big")

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 10_000
    (fault,) = provoke(server, "answers_too_much")
    assert "memory.create" in fault


def test_a_plugin_gets_nothing_that_it_has_no_permission_for(server: Stack) -> None:
    (refused,) = provoke(server, "writes_without_permission")

    assert "memory:read, memory:write, memory:write to delete, database:write, embedding, cache" in refused
    found = server.http.get("/memories", params={"limit": 100}).json()
    assert "written without permission" not in str(found)


def test_a_plugin_reads_no_memory_of_another_user(server: Stack) -> None:
    foreign = foreign_memory(server)

    (refused,) = provoke(server, "reads_others_memories", metadata={"foreign": foreign, "user": OTHER_USER})

    for attempt in ("own", "forged", "unsigned", "none"):
        assert f"{attempt}: " in refused


def test_a_plugin_reaches_no_other_and_nothing_of_the_servers(server: Stack) -> None:
    named = {"server": SERVER, **secret_role_and_function(server)}
    (refused,) = provoke(server, "reaches_others", metadata=named)

    attempts = (
        "alias, qualifier, function, code, record, records, right, bus, secret, other secret, queue, role, user, "
        "bucket, task, files, file, part, transfer"
    )
    assert f"{attempts}, {', '.join(f'forged {attempt}' for attempt in attempts.split(', '))}" in refused


def test_a_plugin_opens_no_database(server: Stack) -> None:
    port = conninfo_to_dict(server.admin_dsn)["port"]

    (refused,) = provoke(server, "opens_database", metadata={"port": port})

    assert "DatabaseError 28P01" in refused  # the password is wrong


def test_a_plugin_sees_and_changes_nothing_of_the_machine(server: Stack) -> None:
    places = {"data": str(server.data_dir), "repository": str(REPOSITORY), "port": server.port}

    (refused,) = provoke(server, "reads_machine", metadata=places)

    files = ("data", "password", "operator", "journal", "repository", "shadow", "root", "parent", "memory", "own code")
    for attempt in (*files, "tmp", "signal", "api"):
        assert f"{attempt}: 13" in refused or f"{attempt}: 1;" in refused  # permission denied, operation not permitted


def provoke(server: Stack, *plugin_ids: str, metadata: Mapping[str, object] | None = None) -> list[str]:
    """Let the plugins have events while requests go on, and return the faults that their statuses name then.

    Each memory of these events has the ``metadata``. The requests and memory_analytics must not notice.
    """
    project = f"{plugin_ids[0]} {uuid.uuid4().hex[:8]}"
    before = {plugin_id: failed(server, plugin_id) for plugin_id in plugin_ids}
    calm = requests(server, f"{project} before", {})
    try:
        for plugin_id in plugin_ids:
            post(server, f"/plugins/enable/{plugin_id}")
        latencies = requests(server, project, metadata or {})
        until = time.monotonic() + 12 * TIMEOUT_SECONDS
        while any(failed(server, it) == before[it] for it in plugin_ids) and time.monotonic() < until:
            time.sleep(0.2)
        seen = [status(server, plugin_id)["statistics"] for plugin_id in plugin_ids]
    finally:
        for plugin_id in plugin_ids:
            post(server, f"/plugins/disable/{plugin_id}")
    assert [it["delivered"] for it in seen] == [0] * len(plugin_ids), "what they tried was not refused"
    assert statistics.median(latencies) < max(0.5, 5 * statistics.median(calm))
    assert count_within(server, project, expected=5, seconds=30) == 5
    return [str(it["last_error"]) for it in seen]


def requests(server: Stack, project: str, metadata: Mapping[str, object]) -> list[float]:
    """Store five memories, search after each, and return the seconds that each request took."""
    latencies: list[float] = []
    for _ in range(5):
        for request in (lambda: create(server, project, metadata), lambda: search(server, project)):
            started = time.monotonic()
            request().raise_for_status()
            latencies.append(time.monotonic() - started)
    return latencies


def create(server: Stack, project: str, metadata: Mapping[str, object]) -> httpx.Response:
    body = {"content": f"a memory {uuid.uuid4()}", "project": project, "metadata": metadata}
    return server.http.post("/memories", json=body)


def search(server: Stack, project: str) -> httpx.Response:
    return server.http.post("/memories/search", json={"query": "a memory", "project": project})


def post(server: Stack, path: str) -> None:
    server.http.post(path).raise_for_status()


def status(server: Stack, plugin_id: str) -> Status:
    return server.http.get(f"/plugins/status/{plugin_id}").raise_for_status().json()


def failed(server: Stack, plugin_id: str) -> int:
    return int(str(status(server, plugin_id)["statistics"]["failed"]))


def foreign_memory(server: Stack) -> str:
    """Store a memory of another user, as only the database's administrator can, and return its id."""
    own = create(server, "own", {}).raise_for_status().json()["id"]
    foreign = str(uuid.uuid4())
    with psycopg.connect(server.admin_dsn) as connection:
        connection.execute(
            "INSERT INTO memories (id, user_id, importance, deduplicate, memory_type, tags, metadata, content,"
            " content_sha256, embedding, embedding_model)"
            " SELECT %s, %s, importance, deduplicate, memory_type, tags, metadata, content, content_sha256, embedding,"
            " embedding_model FROM memories WHERE id = %s",
            [foreign, OTHER_USER, own],
        )
    return foreign


def secret_role_and_function(server: Stack) -> dict[str, str]:
    """Return the ids of what signs all grants, of the role of the relay, and of the function of bulk transfers."""
    resources = server.aws.cloudformation.describe_stack_resources(StackName=SERVER)["StackResources"]
    found = {it["LogicalResourceId"]: it.get("PhysicalResourceId", "") for it in resources}
    role = f"arn:aws:iam::000000000000:role/{found['OutboxRelayFunctionRole']}"
    return {"secret": found["ServerSecret"], "role": role, "bulk": found["BulkTransferFunction"]}
