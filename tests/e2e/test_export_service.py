"""export_service on a running server: what is exported and wiped comes back whole, whatever is killed between."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.e2e import pages
from tests.e2e.plugin_folders import write_settings
from tests.e2e.stack import START_SECONDS, Stack
from tests.plugins.export_service.memories import AWKWARD

pytestmark = pytest.mark.timeout(START_SECONDS + 600)

EXPORTS = "/plugins/export_service"
PATIENCE = 120.0
WAYS = [(form, way) for form in ("json", "jsonl", "csv") for way in ("none", "gzip", "zstd")] + [("markdown", "none")]
ROWS = (
    "SELECT id::text, content, project, session_id, memory_type, tags, importance, metadata::text, version,"
    " created_at, updated_at, expires_at, deduplicate, embedding::text, embedding_model"
    " FROM memories ORDER BY id"
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: its memories are wiped."""
    folder = tmp_path_factory.mktemp("export")
    settings = write_settings(folder / "settings.yaml", [], keep_data=True)
    settings.write_text(settings.read_text().replace("- memory_analytics", "- export_service"))
    made = Stack(folder, settings)
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client


@pytest.fixture
def memories(stack: Stack, api: httpx.Client) -> list[tuple[Any, ...]]:
    """Store memories with all that is awkward, change some, and return all rows as they are in the database."""
    wipe(api)
    expiry = (datetime.now(UTC) + timedelta(days=9, microseconds=1)).isoformat()
    batch: list[dict[str, Any]] = [
        {
            "content": text,
            "project": text if number % 2 else None,
            "session_id": text if number % 3 else None,
            "tags": ["a,b", text],
            "importance": number / 7 % 1,
            "metadata": {text: {"nested": [text, 0.1, 10**20, None, True, {}]}},
            "expires_at": expiry if number % 2 else None,
        }
        for number, text in enumerate(AWKWARD)
    ]
    batch.append({**batch[0], "allow_duplicate": True})
    stored = api.post("/memories/batch", json={"memories": batch}).raise_for_status().json()["results"]
    for result in stored[:5]:
        api.patch(f"/memories/{result['memory']['id']}", json={"importance": 0.125}).raise_for_status()
    return rows(stack)


def rows(stack: Stack) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.admin_dsn) as connection:
        return connection.execute(ROWS).fetchall()


def wipe(api: httpx.Client) -> None:
    api.post("/memories/delete", json={"all": True}).raise_for_status()


def ended(api: httpx.Client, path: str) -> dict[str, Any]:
    """Return the job at ``path`` when it has ended."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        job = api.get(path).raise_for_status().json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.1)
    raise AssertionError(f"{path} has not ended: {api.get(path).text}")


def run(api: httpx.Client, kind: str, **body: object) -> dict[str, Any]:
    response = api.post(f"{EXPORTS}/{kind}", json=body)
    assert response.status_code == 202, response.text
    return ended(api, response.headers["Location"])


def upload(api: httpx.Client, data: bytes) -> str:
    upload_id = api.post(f"{EXPORTS}/uploads").raise_for_status().json()["id"]
    for number, at in enumerate(range(0, len(data), 700_000)):
        body = {"base64": base64.b64encode(data[at : at + 700_000]).decode()}
        api.put(f"{EXPORTS}/uploads/{upload_id}/chunks/{number}", json=body).raise_for_status()
    return upload_id


@pytest.mark.parametrize(("form", "compression"), WAYS)
def test_what_is_exported_and_wiped_comes_back_in_every_field(
    stack: Stack, api: httpx.Client, memories: list[tuple[Any, ...]], form: str, compression: str
) -> None:
    export = run(api, "exports", format=form, compression=compression, embeddings=True)
    assert (export["state"], export["memories"]) == ("done", len(memories)), export
    file = httpx.get(export["download"]["url"]).raise_for_status()
    assert export["download"]["filename"] in file.headers["Content-Disposition"]
    assert len(file.content) == export["download"]["bytes"]
    for source in ({"export_id": export["id"]}, {"upload_id": upload(api, file.content)}):
        wipe(api)
        done = run(api, "imports", format=form, **source)
        assert (done["state"], done["created"]) == ("done", len(memories)), done
        assert rows(stack) == memories


def test_without_embeddings_the_server_makes_them_anew(
    stack: Stack, api: httpx.Client, memories: list[tuple[Any, ...]]
) -> None:
    export = run(api, "exports", format="jsonl")
    wipe(api)
    assert run(api, "imports", export_id=export["id"])["created"] == len(memories)
    assert [row[:-2] for row in rows(stack)] == [row[:-2] for row in memories]


def test_importing_twice_changes_nothing_and_overwrite_brings_back(
    stack: Stack, api: httpx.Client, memories: list[tuple[Any, ...]]
) -> None:
    export = run(api, "exports", format="csv", embeddings=True)
    assert run(api, "imports", export_id=export["id"])["skipped"] == len(memories)
    assert run(api, "imports", export_id=export["id"], conflict="overwrite")["unchanged"] == len(memories)
    api.patch(f"/memories/{memories[0][0]}", json={"session_id": "changed", "tags": []}).raise_for_status()
    tried = run(api, "imports", export_id=export["id"], conflict="overwrite", dry_run=True)
    assert (tried["updated"], tried["unchanged"]) == (1, len(memories) - 1)
    run(api, "imports", export_id=export["id"], conflict="overwrite")
    back = next(row for row in rows(stack) if row[0] == memories[0][0])
    assert back[1:8] == memories[0][1:8]


def test_a_wrong_line_is_named_and_nothing_is_stored(stack: Stack, api: httpx.Client) -> None:
    wipe(api)
    text = '{"content": "fine"}\n{"content": "x", "importance": 7}\n'
    done = run(api, "imports", format="jsonl", text=text)
    assert done["error"]["message"] == "line 2: importance: must be a number from 0 to 1, not 7"
    twin = "019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40"
    text = f'{{"id": "{twin}", "content": "x"}}\n\n{{"id": "{twin}", "content": "y"}}\n'
    done = run(api, "imports", format="jsonl", text=text)
    message = f"line 3: id: {twin} is on a line before too: leave one of them out"
    assert done["error"] == {"message": message, "line": 3, "file": None, "field": "id"}
    assert rows(stack) == []
    api.delete(f"{EXPORTS}/imports/{done['id']}").raise_for_status()
    assert api.get(f"{EXPORTS}/imports/{done['id']}").status_code == 404


def test_what_the_schema_refuses_names_the_field(api: httpx.Client) -> None:
    refused = api.post(f"{EXPORTS}/exports", json={"format": "xml"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "format")


def test_jobs_go_on_after_everything_was_killed(stack: Stack, memories: list[tuple[Any, ...]]) -> None:
    with httpx.Client(base_url=stack.url, timeout=60) as api:
        path = api.post(f"{EXPORTS}/exports", json={"format": "csv", "embeddings": True}).headers["Location"]
    restart(stack)
    with httpx.Client(base_url=stack.url, timeout=60) as api:
        export = ended(api, path)
        assert (export["state"], export["memories"]) == ("done", len(memories)), export
        wipe(api)
        path = api.post(f"{EXPORTS}/imports", json={"export_id": export["id"]}).headers["Location"]
    restart(stack)
    with httpx.Client(base_url=stack.url, timeout=60) as api:
        done = ended(api, path)
        assert (done["state"], done["created"] + done["skipped"]) == ("done", len(memories)), done
    assert rows(stack) == memories


def restart(stack: Stack) -> None:
    """Kill all processes of the stack and start it; let the jobs have waited for an hour."""
    stack.kill_all()
    stack.start()
    with psycopg.connect(stack.admin_dsn) as connection:
        connection.execute("UPDATE plugin_export_service.jobs SET updated_at = updated_at - interval '1 hour'")


def test_the_commands_of_the_page_work(stack: Stack, api: httpx.Client, tmp_path: Path) -> None:
    wipe(api)
    api.post("/memories", json={"content": "Priya likes reviews.", "project": "team"}).raise_for_status()
    start, look, try_out, send, configure = pages.commands("plugins/export_service/README.md")
    export_id = pages.run(start, stack, tmp_path).split('"id":"')[1].split('"')[0]
    ended(api, f"{EXPORTS}/exports/{export_id}")
    pages.run(look, stack, tmp_path, ID=export_id)
    assert (tmp_path / "memories.csv.gz").read_bytes().startswith(b"\x1f\x8b")
    assert '"state":"unpacking"' in pages.run(try_out, stack, tmp_path)
    wipe(api)
    answer = pages.run(send, stack, tmp_path)
    import_id = answer.rsplit('{"id":"', 1)[1].split('"')[0]
    done = ended(api, f"{EXPORTS}/imports/{import_id}")
    assert (done["state"], done["created"]) == ("done", 1), done
    assert '"keep_days":30' in pages.run(configure, stack, tmp_path)
