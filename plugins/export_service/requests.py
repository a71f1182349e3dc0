"""What the endpoints take, as JSON Schema, and the answers to what they cannot take."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import MEMORY_TYPES, EndpointResponse

from .formats.reading import IMPORT_FORMATS
from .formats.writing import EXPORT_FORMATS

MAX_RUNNING: Final = 5
"""So many jobs of one user may run at once."""

_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAME: Final[JsonObject] = {"type": "string", "minLength": 1, "maxLength": 200}
_TAGS: Final[JsonObject] = {"type": "array", "items": {**_NAME, "maxLength": 100}, "maxItems": 50}
_TIME: Final[JsonObject] = {"type": "string", "format": "date-time"}

FILTER: Final[JsonObject] = {
    "type": "object",
    "description": "Conditions that all hold, as in a search.",
    "properties": {
        "project": _NAME,
        "session_id": _NAME,
        "memory_type": {"type": "array", "items": {"enum": list(MEMORY_TYPES)}, "maxItems": 50},
        "tags_any": _TAGS,
        "tags_all": _TAGS,
        "since": {**_TIME, "description": "Created then or later."},
        "until": {**_TIME, "description": "Created before then."},
        "min_importance": {"type": "number", "minimum": 0, "maximum": 1},
        "metadata": {"type": "object", "description": "Contained in the memory's metadata."},
    },
    "additionalProperties": False,
}
EXPORT: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "format": {"enum": list(EXPORT_FORMATS)},
        "compression": {"enum": ["none", "gzip", "zstd"], "default": "none"},
        "embeddings": {"type": "boolean", "default": False},
        "filter": FILTER,
    },
    "required": ["format"],
    "additionalProperties": False,
}
IMPORT: Final[JsonObject] = {
    "type": "object",
    "description": "Exactly one of export_id, upload_id and text says what is imported.",
    "properties": {
        "export_id": {"type": "string", "format": "uuid", "description": "An export of yours that is done."},
        "upload_id": {"type": "string", "format": "uuid", "description": "A file whose chunks were sent to /uploads."},
        "text": {"type": "string", "description": "A small file, as it is."},
        "format": {"enum": list(IMPORT_FORMATS), "description": "Left out, it is the export's."},
        "conflict": {
            "enum": ["skip", "overwrite", "duplicate"],
            "default": "skip",
            "description": "What becomes of a memory whose id, or content in its project, is there already.",
        },
        "project": {**_NAME, "description": "The project of all memories, whatever theirs was."},
        "dry_run": {"type": "boolean", "default": False, "description": "Check it all, and store nothing."},
    },
    "additionalProperties": False,
}
CHUNK: Final[JsonObject] = {
    "type": "object",
    "properties": {"base64": {"type": "string", "contentEncoding": "base64", "minLength": 1}},
    "required": ["base64"],
    "additionalProperties": False,
}


def problem(status: int, detail: str, **members: JsonValue) -> EndpointResponse:
    """Return the answer that tells of a problem (RFC 9457), as those of the server do."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **members}
    return EndpointResponse(status=status, body=body, content_type="application/problem+json")


def field_problem(field: str, detail: str) -> EndpointResponse:
    """Return the answer that tells what is wrong with a field of the body."""
    error = {"field": field, "in": "body", "pointer": f"#/{field.replace('.', '/')}", "detail": detail}
    return problem(422, f"{field}: {detail}", errors=[error])


def not_found(what: str) -> EndpointResponse:
    """Return the answer to who asks for what there is not, or what is somebody else's."""
    return problem(404, f"there is no such {what}, or it is not yours")


def too_many() -> EndpointResponse:
    """Return the answer to who has as many jobs running as one may."""
    return problem(409, f"you have {MAX_RUNNING} exports and imports running: wait for one to end, or delete one")


def is_id(text: str) -> bool:
    """Return whether ``text`` can be the id of a job or an upload."""
    return bool(_UUID.fullmatch(text))
