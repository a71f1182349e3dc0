"""The endpoints of the plugin, as PLUGIN_INFO lists them."""

from __future__ import annotations

from typing import Final

from plugin_kit.json_types import JsonObject, JsonValue

_PROJECT: Final[JsonObject] = {"type": ["string", "null"], "minLength": 1, "maxLength": 200}


def _body(properties: dict[str, JsonValue]) -> JsonObject:
    """Return the schema of a body that may be left out."""
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


ENDPOINTS: Final[list[JsonObject]] = [
    {
        "method": "POST",
        "path": "/backups",
        "handler": "post_backup",
        "summary": "Back up all memories of the caller, or those of one project",
        "scope": "memories:read",
        "request": _body({"project": {**_PROJECT, "description": "Left out: all memories."}}),
    },
    {
        "method": "GET",
        "path": "/backups",
        "handler": "get_backups",
        "summary": "List the caller's backups, the newest first",
        "scope": "memories:read",
    },
    {
        "method": "GET",
        "path": "/backups/{id}",
        "handler": "get_backup",
        "summary": "Show a backup, its progress and its runs",
        "scope": "memories:read",
    },
    {
        "method": "POST",
        "path": "/backups/{id}/verify",
        "handler": "verify_backup",
        "summary": "Read every part of a backup and compare it with what was written",
        "scope": "memories:read",
        "request": _body({}),
    },
    {
        "method": "POST",
        "path": "/backups/{id}/restore",
        "handler": "restore_backup",
        "summary": "Verify a backup and restore it, or tell what a restore would change",
        "scope": "memories:write",
        "request": _body(
            {
                "dry_run": {"type": "boolean", "default": False, "description": "Only tell the difference."},
                "conflict": {
                    "type": "string",
                    "enum": ["skip", "overwrite"],
                    "default": "skip",
                    "description": "What becomes of a memory that is there already.",
                },
                "into_project": {**_PROJECT, "description": "Restore copies into this project."},
            }
        ),
    },
    {
        "method": "DELETE",
        "path": "/backups/{id}",
        "handler": "delete_backup",
        "summary": "Remove a backup and its files",
        "scope": "memories:write",
    },
    {
        "method": "GET",
        "path": "/runs/{id}",
        "handler": "get_run",
        "summary": "Show a verification, a restore or a test of a backup",
        "scope": "memories:read",
    },
    {
        "method": "GET",
        "path": "/retention",
        "handler": "get_retention",
        "summary": "Tell which backups the policy keeps, why, and which it would drop",
        "scope": "memories:read",
    },
]
