"""The knowledge graph of the official MCP memory server: a line an entity or a relation.

Each observation of an entity becomes a memory, and each relation one: a sentence that search can find.
``metadata.graph`` keeps what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from plugin_kit.json_types import JsonObject, JsonValue

from .faults import FieldFault
from .record import MAX_NAME_BYTES


def memories(item: JsonValue) -> Iterator[JsonObject]:
    """Yield the memories of one line.

    Raises:
        FieldFault: the line is no entity and no relation.
    """
    if not isinstance(item, Mapping) or item.get("type") not in ("entity", "relation"):
        raise FieldFault("type", 'must be "entity" or "relation"')
    if item["type"] == "relation":
        source, relation, target = (_name(item, key) for key in ("from", "relationType", "to"))
        graph = {"type": "relation", "from": source, "relationType": relation, "to": target}
        yield _memory(f"{source} {relation} {target}", relation, graph)
        return
    name, kind = _name(item, "name"), _name(item, "entityType")
    graph = {"type": "entity", "name": name, "entityType": kind}
    observations = _observations(item)
    if not observations:
        yield _memory(f"{name} ({kind})", kind, graph)
    for observation in observations:
        yield _memory(f"{name}: {observation}", kind, graph)


def _memory(content: str, kind: str, graph: JsonObject) -> JsonObject:
    return {
        "content": content,
        "tags": [kind] if 1 <= len(kind.encode(errors="replace")) <= MAX_NAME_BYTES else [],
        "metadata": {"graph": graph},
    }


def _name(item: JsonObject, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise FieldFault(key, "is missing" if value is None else "must be a text")
    return value


def _observations(item: JsonObject) -> list[str]:
    value = item.get("observations")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in cast("Sequence[object]", value)):
        raise FieldFault("observations", "is missing" if value is None else "must be a list of texts")
    return list(dict.fromkeys(cast("list[str]", value)))
