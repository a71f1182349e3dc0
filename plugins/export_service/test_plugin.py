"""What the plugin does without a database: its own requirements and the kit are enough. More is in tests/plugins."""

from __future__ import annotations

import io
import json
from typing import cast

import pytest

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, dumps
from plugin_kit.manifest import verify
from plugin_kit.models import Memory
from plugin_kit.testing import FakeDatabaseService, fire_endpoint, make_context
from plugins.export_service import plugin
from plugins.export_service.formats.reading import IMPORT_FORMATS, lines, unpacked
from plugins.export_service.formats.writing import EXPORT_FORMATS, Place

MEMORY = Memory.from_dict(
    {
        "id": "019a9c3e-7b52-7c11-9d2f-0a6b5c3e1f40",
        "content": '=SUM(A1)\n---\n"Tea", at five\u2028\r\n',
        "project": "'+team",
        "tags": ["a,b", "@c"],
        "importance": 0.1,
        "metadata": {"nested": {"list": [1, 0.5, None, True, "\ufeff"]}},
        "version": 3,
        "created_at": "2026-01-31T12:00:00.000001+00:00",
        "updated_at": "2026-01-31T13:00:00+00:00",
    }
)


def _context(database: FakeDatabaseService) -> Context:
    config = {"version": "1", "region": "us-east-1", "config": {"keep_days": 7, "link_minutes": 60}, "secrets": {}}
    return make_context(plugin_name="export_service", database_service=database, server_config=config)


def test_the_plugin_keeps_its_contract() -> None:
    assert verify("export_service", plugin).tasks == ("work", "snapshot_taken", "memories_loaded", "take_up")


@pytest.mark.parametrize("form", EXPORT_FORMATS)
def test_every_field_survives_each_format(form: str) -> None:
    given = dumps({**MEMORY.to_dict(), "deduplicate": False}).encode() + b"\n"
    file = EXPORT_FORMATS[form].chunk(given, Place(first=True, last=True, embeddings=False))
    read = IMPORT_FORMATS[form]
    (piece,) = unpacked(read, io.BytesIO(file), size=1_000_000, limit=1_000_000)
    (line,) = lines(read, read.syntax(None), piece, last=True)
    back = json.loads(line.data)
    assert Memory.from_dict(back) == MEMORY
    assert back["deduplicate"] is False


@pytest.mark.asyncio
async def test_a_request_that_cannot_be_is_refused_before_anything_is_written() -> None:
    database = FakeDatabaseService()
    body = {"format": "markdown", "compression": "gzip"}
    answer = await fire_endpoint(plugin, "POST", "/exports", body=body, context=_context(database))
    assert answer.status == 422
    assert cast(JsonObject, answer.body)["detail"] == (
        "compression: must be none: the Markdown files come in a ZIP archive"
    )
    assert database.statements == []
