"""An import stores what a file has, or nothing, and says which line is wrong."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
import zstandard

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.testing import FakeFiles
from plugins.export_service import flow, importing
from plugins.export_service.formats.writing import EXPORT_FORMATS
from tests.plugins.export_service.conftest import some_memories
from tests.plugins.export_service.server import Database, Server

LINE = '{"content": "Tea at five.", "tags": ["a"]}\n'


def counts(job: JsonObject) -> tuple[JsonValue, ...]:
    return tuple(job[name] for name in ("memories", "created", "updated", "skipped", "unchanged"))


async def upload(server: Server, data: bytes, size: int = 500) -> str:
    upload_id = str(cast(JsonObject, (await server.ask("POST", "/uploads")).body)["id"])
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    for number, chunk in reversed(list(enumerate(chunks))):
        body = {"base64": base64.b64encode(chunk).decode()}
        response = await server.ask("PUT", f"/uploads/{upload_id}/chunks/{number}", body)
        assert response.status == 200, response.body
    return upload_id


@pytest.mark.parametrize("embeddings", [False, True])
@pytest.mark.parametrize(
    ("form", "compression"),
    [(form, way) for form in EXPORT_FORMATS for way in ("none", "gzip", "zstd") if (form, way) != ("markdown", way)]
    + [("markdown", "none")],
)
async def test_what_is_exported_comes_back_whole(server: Server, form: str, compression: str, embeddings: bool) -> None:
    export = await server.finished("exports", {"format": form, "compression": compression, "embeddings": embeddings})
    before = dict(server.memories.memories)
    for source in ({"export_id": export["id"]}, {"upload_id": await upload(server, server.file_of(export), 3000)}):
        server.memories.memories.clear()
        imported = await server.finished("imports", {"format": form, **source})
        assert imported["error"] is None
        assert counts(imported) == (len(before), len(before), 0, 0, 0)
        assert server.memories.memories == before


async def test_a_dry_run_tells_what_would_be_and_stores_nothing(database: Database) -> None:
    server = Server(database)
    done = await server.finished("imports", {"format": "jsonl", "text": LINE, "dry_run": True})
    assert counts(done) == (1, 1, 0, 0, 0)
    assert server.memories.memories == {}


@pytest.mark.parametrize(
    ("conflict", "expected"),
    [("skip", (1, 0, 0, 1, 0)), ("overwrite", (1, 0, 1, 0, 0)), ("duplicate", (1, 1, 0, 0, 0))],
)
async def test_a_conflict_is_settled_as_asked(database: Database, conflict: str, expected: tuple[int, ...]) -> None:
    memory = replace(some_memories()[0], content="Tea at five.", project=None)
    server = Server(database, memories=[memory])
    done = await server.finished("imports", {"format": "jsonl", "text": LINE, "conflict": conflict})
    assert counts(done) == expected


async def test_all_memories_can_go_into_one_project(database: Database) -> None:
    server = Server(database)
    await server.finished("imports", {"format": "jsonl", "text": LINE, "project": "inbox"})
    assert [memory.project for memory in server.memories.memories.values()] == ["inbox"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
async def test_a_compressed_upload_is_recognised(database: Database, pack: Callable[[bytes], bytes]) -> None:
    server = Server(database)
    upload_id = await upload(server, pack(LINE.encode()))
    assert counts(await server.finished("imports", {"format": "jsonl", "upload_id": upload_id})) == (1, 1, 0, 0, 0)


async def test_a_wrong_line_is_refused_with_line_and_field_and_nothing_is_stored(database: Database) -> None:
    server = Server(database)
    text = f'{LINE}\n{{"content": "x", "importance": 2}}\n{LINE}'
    done = await server.finished("imports", {"format": "jsonl", "text": text})
    message = "line 3: importance: must be a number from 0 to 1, not 2"
    assert done["state"] == "failed"
    assert done["error"] == {"message": message, "line": 3, "file": None, "field": "importance"}
    assert server.memories.memories == {}


async def test_a_damaged_upload_is_refused(database: Database) -> None:
    server = Server(database)
    upload_id = await upload(server, gzip.compress(LINE.encode() * 99)[:-9])
    done = await server.finished("imports", {"format": "jsonl", "upload_id": upload_id})
    assert done["state"] == "failed"
    assert "it is damaged or cut off" in str(cast(JsonObject, done["error"])["message"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"format": "jsonl"}, "give exactly one of"),
        ({"format": "jsonl", "text": LINE, "upload_id": "019a9c3e-7b52-7c11-9d2f-000000000000"}, "give exactly one"),
        ({"text": LINE}, "format: is missing"),
        ({"format": "markdown", "text": "# x"}, "text: a ZIP archive is no text"),
        ({"format": "jsonl", "upload_id": "019a9c3e-7b52-7c11-9d2f-000000000000"}, "there is no such upload"),
        ({"export_id": "019a9c3e-7b52-7c11-9d2f-000000000000"}, "there is no such export"),
    ],
)
async def test_a_request_that_is_wrong_is_refused(database: Database, body: JsonObject, says: str) -> None:
    response = await Server(database).ask("POST", "/imports", body)
    assert response.status == 422
    assert says in str(cast(JsonObject, response.body)["detail"])


async def test_an_upload_with_a_hole_is_refused(server: Server) -> None:
    upload_id = cast(JsonObject, (await server.ask("POST", "/uploads")).body)["id"]
    for number in (0, 2):
        await server.ask("PUT", f"/uploads/{upload_id}/chunks/{number}", {"base64": "eA=="})
    response = await server.ask("POST", "/imports", {"format": "jsonl", "upload_id": upload_id})
    assert "chunk 1 of the upload is missing: send it" in str(response.body)


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [("0", {"base64": "***"}, 422), ("x", {"base64": "eA=="}, 422), ("2000", {"base64": "eA=="}, 422)],
)
async def test_a_chunk_that_is_wrong_is_refused(server: Server, number: str, body: JsonObject, status: int) -> None:
    upload_id = cast(JsonObject, (await server.ask("POST", "/uploads")).body)["id"]
    assert (await server.ask("PUT", f"/uploads/{upload_id}/chunks/{number}", body)).status == status


async def test_nobody_sees_or_uses_what_another_uploads_or_imports(server: Server) -> None:
    upload_id = await upload(server, LINE.encode())
    other = Server(server.database, "other")
    assert (await other.ask("PUT", f"/uploads/{upload_id}/chunks/0", {"base64": "eA=="})).status == 404
    refused = await other.ask("POST", "/imports", {"format": "jsonl", "upload_id": upload_id})
    assert refused.status == 422
    done = await server.finished("imports", {"format": "jsonl", "upload_id": upload_id})
    assert done["state"] == "done"
    assert (await other.ask("GET", f"/imports/{done['id']}")).status == 404
    assert await other.get("/imports") == {"imports": []}


async def test_an_export_that_is_not_done_cannot_be_imported(server: Server) -> None:
    response = await server.ask("POST", "/exports", {"format": "csv"})
    export_id = cast(JsonObject, response.body)["id"]
    refused = await server.ask("POST", "/imports", {"export_id": export_id})
    assert "it can be imported when it is done" in str(refused.body)


async def loading(server: Server, body: JsonObject) -> str:
    """Start an import, run it until the server is to store its memories, and return its path."""
    response = await server.ask("POST", "/imports", body)
    while server.memories.started[0].task != "memories_loaded":
        await server.run_one()
    return f"/imports/{cast(JsonObject, response.body)['id']}"


async def refused(server: Server, path: str, message: str, line: int | None) -> JsonObject:
    """Let the server refuse a line of the only part of an import, and return the import."""
    (task,) = server.memories.started
    (part,) = (name for name in server.database.files.contents if "/lines/" in name and name.endswith(".jsonl"))
    where = f"part {part}, line {line}: " if line else ""
    error: JsonObject = {"message": f"{where}{message}", "part": part if line else None, "line": line}
    answer = {**cast(JsonObject, task.arguments["load"]), "error": error}
    server.memories.started[0] = task._replace(arguments={**task.arguments, "load": answer})
    await server.run()
    return await server.get(path)


async def test_a_load_that_the_server_refuses_ends_the_import_with_its_words(database: Database) -> None:
    server = Server(database)
    path = await loading(server, {"format": "jsonl", "text": LINE})
    done = await refused(server, path, "the disk is full", None)
    assert (done["state"], done["error"]) == ("failed", {"message": "nothing was stored: the disk is full"})


CSV = 'content,tags\r\n"two\r\nlines",\r\nsecond,[]\r\n'
DOCUMENT = '{"memories": [\n\n{"content": "a"},\n\n\n{"content": "b"}]}'
GRAPH = '\n{"type": "entity", "name": "A", "entityType": "p", "observations": ["1", "2"]}\n'


@pytest.mark.parametrize(
    ("form", "text", "line"),
    [("jsonl", f"\n{LINE}\n\n{LINE}", 5), ("csv", CSV, 4), ("json", DOCUMENT, 6), ("mcp-memory", GRAPH, 2)],
)
async def test_a_memory_that_the_server_refuses_is_named_by_its_line_in_the_users_file(
    database: Database, form: str, text: str, line: int
) -> None:
    server = Server(database)
    path = await loading(server, {"format": form, "text": text})
    done = await refused(server, path, "id: it is on a line before too: leave one of them out", 2)
    message = f"line {line}: id: it is on a line before too: leave one of them out"
    assert done["error"] == {"message": message, "line": line, "file": None, "field": "id"}


async def test_a_note_that_the_server_refuses_is_named_by_its_file_in_the_archive(server: Server) -> None:
    server.parts = 1
    export = await server.finished("exports", {"format": "markdown"})
    path = await loading(server, {"export_id": export["id"]})
    error = cast(JsonObject, (await refused(server, path, "it is too odd: leave it out", 2))["error"])
    assert (error["line"], error["field"]) == (None, None)
    assert str(error["file"]).endswith(f"{some_memories()[1].id}.md")
    assert error["message"] == f"{error['file']}: it is too odd: leave it out"


def import_files(server: Server) -> list[str]:
    return [name for name in server.database.files.contents if "/upload/" not in name]


@pytest.mark.parametrize("tasks", [0, 1])
async def test_an_import_that_is_deleted_before_it_stores_leaves_nothing(
    database: Database, tasks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "BUSY_SECONDS", 0.0)
    server = Server(database)
    response = await server.ask("POST", "/imports", {"format": "jsonl", "text": LINE})
    path = f"/imports/{cast(JsonObject, response.body)['id']}"
    for _ in range(tasks):
        await server.run_one()
    assert (await server.ask("DELETE", path)).body == {"id": path.rpartition("/")[2], "deleted": True}
    await server.run()
    assert (await server.ask("GET", path)).status == 404
    assert import_files(server) == []
    assert server.memories.memories == {}


class DeletingFiles(FakeFiles):
    """Files that let the user delete an import at the moment in which its lines are written."""

    server: Server
    path: str

    async def write(self, name: str, data: bytes) -> None:
        await FakeFiles.write(self, name, data)
        if name.endswith(".jsonl"):
            assert (await self.server.ask("DELETE", self.path)).status == 200


async def test_an_import_that_is_deleted_while_a_task_is_at_it_leaves_nothing(database: Database) -> None:
    server = Server(database)
    response = await server.ask("POST", "/imports", {"format": "jsonl", "text": LINE})
    database.files = files = DeletingFiles(database.files.contents)
    files.server, files.path = server, f"/imports/{cast(JsonObject, response.body)['id']}"
    await server.run()
    assert import_files(server) == []
    assert server.memories.memories == {}


@pytest.mark.parametrize("compression", ["none", "gzip"])
async def test_an_export_of_many_pieces_is_imported_from_its_file(
    server: Server, compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PIECE_BYTES", 500)
    export = await server.finished("exports", {"format": "csv", "compression": compression})
    before = dict(server.memories.memories)
    for seconds in (5.0, 0.0):
        monkeypatch.setattr(flow, "BUSY_SECONDS", seconds)
        server.memories.memories.clear()
        done = await server.finished("imports", {"export_id": export["id"]})
        assert (done["state"], done["created"]) == ("done", len(before))
        assert server.memories.memories == before
    assert (await server.get(f"/exports/{export['id']}"))["state"] == "done"
    assert len(server.file_of(export)) == cast(JsonObject, export["download"])["bytes"]


async def test_an_import_that_is_being_stored_cannot_be_deleted_before_it_has_ended(database: Database) -> None:
    server = Server(database)
    path = await loading(server, {"format": "jsonl", "text": LINE})
    refused = await server.ask("DELETE", path)
    assert refused.status == 409
    assert "wait until it has ended" in str(cast(JsonObject, refused.body)["detail"])
    await server.run()
    assert (await server.get(path))["created"] == 1
    assert (await server.ask("DELETE", path)).status == 200
    assert import_files(server) == []
    assert await server.get("/imports") == {"imports": []}
    assert len(server.memories.memories) == 1


async def test_nobody_deletes_the_import_of_another(server: Server) -> None:
    path = await loading(server, {"format": "jsonl", "text": LINE})
    assert (await Server(server.database, "other").ask("DELETE", path)).status == 404
    export = await server.ask("POST", "/exports", {"format": "csv"})
    assert (await server.ask("DELETE", f"/imports/{cast(JsonObject, export.body)['id']}")).status == 404
    assert (await server.get(path))["state"] == "storing"
