"""Files of other memory servers become memories, and lose nothing on the way."""

from __future__ import annotations

import json
from typing import cast

from plugin_kit.json_types import JsonObject
from tests.plugins.export_service.files import imported


def read(form: str, text: str) -> list[JsonObject]:
    return [cast(JsonObject, json.loads(line)) for line in imported(form, text.encode(), size=50)]


def test_each_observation_and_relation_of_the_official_server_is_a_memory() -> None:
    ada: JsonObject = {
        "type": "entity",
        "name": "Ada",
        "entityType": "person",
        "observations": ["likes tea", "lives in Oslo"],
    }
    oslo: JsonObject = {"type": "entity", "name": "Oslo", "entityType": "city", "observations": []}
    lives: JsonObject = {"type": "relation", "from": "Ada", "to": "Oslo", "relationType": "lives in"}
    found = read("mcp-memory", "\n".join(json.dumps(line) for line in (ada, oslo, lives)))
    assert [memory["content"] for memory in found] == [
        "Ada: likes tea",
        "Ada: lives in Oslo",
        "Oslo (city)",
        "Ada lives in Oslo",
    ]
    assert found[0]["tags"] == ["person"]
    assert found[0]["metadata"] == {"graph": {"type": "entity", "name": "Ada", "entityType": "person"}}
    assert found[3]["metadata"] == {"graph": lives}


def test_an_export_of_mcp_memory_service_comes_whole() -> None:
    export = {
        "export_metadata": {"source_machine": "here", "total_memories": 2, "exporter_version": "4.6.1"},
        "memories": [
            {
                "content": "Tea at five.",
                "content_hash": "abc",
                "tags": ["habit", "tea"],
                "created_at": 1732968000.000001,
                "updated_at": 1732968001.5,
                "memory_type": "note",
                "metadata": {"source": "chat"},
                "export_source": "here",
                "embedding": [0.1],
            },
            {
                "content": "We use Rust.",
                "tags": "a, b",
                "memory_type": "decision",
                "created_at_iso": "2024-11-30T12:00:00Z",
            },
        ],
    }
    first, second = read("mcp-memory-service", json.dumps(export, indent=2))
    assert first == {
        "content": "Tea at five.",
        "tags": ["habit", "tea"],
        "metadata": {
            "source": "chat",
            "mcp_memory_service": {"content_hash": "abc", "export_source": "here", "memory_type": "note"},
        },
        "created_at": "2024-11-30T12:00:00.000001+00:00",
        "updated_at": "2024-11-30T12:00:01.500000+00:00",
    }
    assert (second["memory_type"], second["tags"]) == ("decision", ["a", "b"])
    assert second["created_at"] == "2024-11-30T12:00:00+00:00"


MEM0 = {
    "id": "892db2ae-06d9-49e5-8b3e-585ef9b85b8e",
    "memory": "Dev works at TechCorp.",
    "hash": "a9b",
    "metadata": {"type": "professional"},
    "categories": ["work"],
    "created_at": "2024-07-20T01:30:36.275141-07:00",
    "updated_at": None,
    "user_id": "dev",
    "run_id": "run-1",
}


def test_what_get_all_of_mem0_returns_comes_whole() -> None:
    expected = {
        "id": "892db2ae-06d9-49e5-8b3e-585ef9b85b8e",
        "content": "Dev works at TechCorp.",
        "tags": ["work"],
        "session_id": "run-1",
        "metadata": {"type": "professional", "mem0": {"hash": "a9b", "user_id": "dev"}},
        "created_at": "2024-07-20T08:30:36.275141+00:00",
    }
    relations = [{"source": "dev", "relationship": "works_at", "destination": "techcorp"}]
    assert read("mem0", json.dumps({"results": [MEM0], "relations": relations})) == [expected]
    assert read("mem0", json.dumps([MEM0])) == [expected]


def test_memories_of_openmemory_are_read_too() -> None:
    document = {"user": {"name": "dev"}, "memories": [{"id": "1", "content": "Tea", "state": "active"}]}
    assert read("mem0", json.dumps(document)) == [
        {"content": "Tea", "tags": [], "metadata": {"mem0": {"id": "1", "state": "active"}}}
    ]
