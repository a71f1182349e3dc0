"""An export is started, goes on part by part, and ends with a file and a link to it."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import cast

import pytest
import zstandard

from plugin_kit.json_types import JsonObject
from plugin_kit.manifest import verify
from plugins.export_service import plugin
from plugins.export_service.formats.writing import EXPORT_FORMATS
from tests.plugins.export_service.files import imported
from tests.plugins.export_service.server import Database, Server


def download(export: JsonObject) -> JsonObject:
    return cast(JsonObject, export["download"])


def test_the_plugin_keeps_its_contract() -> None:
    info = verify("export_service", plugin)
    assert info.hooks == ()
    assert info.permissions == ("memory:read", "memory:write", "database:read", "database:write", "files", "users")


async def test_an_export_is_accepted_and_has_a_file_when_it_is_done(server: Server) -> None:
    response = await server.ask("POST", "/exports", {"format": "jsonl"})
    started = cast(JsonObject, response.body)
    assert response.status == 202
    assert response.headers["Location"] == f"/plugins/export_service/exports/{started['id']}"
    assert (started["state"], started["download"]) == ("snapshot", None)
    await server.run()
    export = await server.get(f"/exports/{started['id']}")
    assert export["state"] == "done"
    assert export["memories"] == len(server.memories.memories)
    assert export["progress"] == {"done": 5, "steps": 5, "percent": 100}
    file = server.file_of(export)
    assert download(export)["bytes"] == len(file)
    assert download(export)["sha256"] == hashlib.sha256(file).hexdigest()
    assert str(download(export)["filename"]).endswith(".jsonl")
    assert "seconds=3600" in str(download(export)["url"])


def unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress(data)


@pytest.mark.parametrize(
    ("compression", "suffix", "decompress"), [("gzip", ".csv.gz", gzip.decompress), ("zstd", ".csv.zst", unzstd)]
)
async def test_a_compressed_export_is_the_plain_one_compressed(
    server: Server, compression: str, suffix: str, decompress: Callable[[bytes], bytes]
) -> None:
    plain = await server.finished("exports", {"format": "csv"})
    packed = await server.finished("exports", {"format": "csv", "compression": compression})
    assert decompress(server.file_of(packed)) == server.file_of(plain)
    assert str(download(packed)["filename"]).endswith(suffix)


@pytest.mark.parametrize("form", EXPORT_FORMATS)
async def test_an_export_of_one_small_part_is_the_same_as_one_of_many(server: Server, form: str) -> None:
    server.parts = 1
    whole = await server.finished("exports", {"format": form})
    server.parts = 3
    joined = await server.finished("exports", {"format": form})
    assert imported(form, server.file_of(joined)) == imported(form, server.file_of(whole))


async def test_only_memories_that_fit_the_filter_are_exported(server: Server) -> None:
    conditions = {"min_importance": 0.1, "memory_type": ["decision"]}
    export = await server.finished("exports", {"format": "json", "filter": conditions})
    found = json.loads(server.file_of(export))["memories"]
    assert {memory["importance"] >= 0.1 for memory in found} == {True}
    assert export["memories"] == len(found)
    assert len(found) < len(server.memories.memories)


async def test_embeddings_come_as_numbers_where_they_are_asked_for(server: Server) -> None:
    export = await server.finished("exports", {"format": "jsonl", "embeddings": True})
    first = json.loads(server.file_of(export).split(b"\n")[0])
    assert first["embedding"][0] == 1
    assert len(first["embedding"]) == 384
    assert first["embedding_model"] == "fake-model"


async def test_without_memories_there_is_still_a_file(database: Database) -> None:
    server = Server(database)
    for form in ("json", "jsonl", "csv", "markdown"):
        export = await server.finished("exports", {"format": form})
        assert (export["state"], export["memories"]) == ("done", 0)
        assert (await server.finished("imports", {"export_id": export["id"]}))["state"] == "done"


async def test_a_download_goes_to_the_link(server: Server) -> None:
    export = await server.finished("exports", {"format": "csv"})
    response = await server.ask("GET", f"/exports/{export['id']}/download")
    assert response.status == 307
    assert response.headers["Location"] == cast(Mapping[str, str], response.body)["url"]


async def test_a_download_before_the_end_is_refused(server: Server) -> None:
    response = await server.ask("POST", "/exports", {"format": "csv"})
    export_id = cast(JsonObject, response.body)["id"]
    refused = await server.ask("GET", f"/exports/{export_id}/download")
    assert refused.status == 409
    assert "has a file when it is done" in str(refused.body)


@pytest.mark.parametrize(("form", "kept"), [("jsonl", []), ("csv", []), ("markdown", ["directory"])])
async def test_a_file_that_was_put_together_takes_the_place_of_what_it_is_of(
    server: Server, form: str, kept: list[str]
) -> None:
    await server.finished("exports", {"format": form})
    names = [name.rpartition("/")[2] for name in server.database.files.contents if name.startswith("exports/")]
    assert {name.rpartition("-")[2] for name in names} == {"file", *kept}


async def test_nothing_is_left_of_a_deleted_export(server: Server) -> None:
    export = await server.finished("exports", {"format": "csv"})
    assert (await server.ask("DELETE", f"/exports/{export['id']}")).status == 200
    assert [name for name in server.database.files.contents if name.startswith("exports/")] == []
    assert (await server.ask("GET", f"/exports/{export['id']}")).status == 404
    assert await server.get("/exports") == {"exports": []}


async def test_an_export_that_is_deleted_while_it_runs_leaves_nothing(server: Server) -> None:
    response = await server.ask("POST", "/exports", {"format": "csv"})
    export_id = cast(JsonObject, response.body)["id"]
    await server.run_one()
    await server.ask("DELETE", f"/exports/{export_id}")
    await server.run()
    assert [name for name in server.database.files.contents if name.startswith("exports/")] == []


async def test_nobody_sees_or_touches_the_exports_of_another(server: Server) -> None:
    export = await server.finished("exports", {"format": "csv"})
    other = Server(server.database, "other")
    path = f"/exports/{export['id']}"
    unknown = await other.ask("GET", "/exports/019a9c3e-7b52-7c11-9d2f-000000000000")
    assert (await other.ask("GET", path)) == unknown
    assert unknown.status == 404
    assert (await other.ask("GET", f"{path}/download")).status == 404
    assert (await other.ask("DELETE", path)).status == 404
    assert await other.get("/exports") == {"exports": []}
    refused = await other.ask("POST", "/imports", {"export_id": export["id"]})
    assert refused.status == 422
    assert "not yours" in str(refused.body)
    assert (await server.get(path))["state"] == "done"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"format": "markdown", "compression": "gzip"}, "compression: must be none"),
        (
            {"format": "csv", "filter": {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}},
            "filter.until: must be later than since",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_the_field(server: Server, body: JsonObject, says: str) -> None:
    response = await server.ask("POST", "/exports", body)
    assert response.status == 422
    assert response.content_type == "application/problem+json"
    assert str(cast(JsonObject, response.body)["detail"]).startswith(says)
    assert server.memories.started == []


async def test_a_sixth_job_at_once_is_refused(server: Server) -> None:
    for _ in range(5):
        assert (await server.ask("POST", "/exports", {"format": "csv"})).status == 202
    refused = await server.ask("POST", "/exports", {"format": "csv"})
    assert refused.status == 409
    assert "wait for one to end" in str(refused.body)


async def test_a_snapshot_that_fails_ends_the_export_with_its_words(server: Server) -> None:
    response = await server.ask("POST", "/exports", {"format": "csv"})
    (task,) = server.memories.started
    manifest = {**cast(JsonObject, task.arguments["snapshot"]), "error": "the database does not answer"}
    server.memories.started[0] = task._replace(arguments={**task.arguments, "snapshot": manifest})
    await server.run()
    export = await server.get(f"/exports/{cast(JsonObject, response.body)['id']}")
    assert export["state"] == "failed"
    assert export["error"] == {"message": "the memories could not be read: the database does not answer"}
