"""What the endpoints answer."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointResponse

from .retention import Policy, Verdict
from .rows import BackupRow, PartRow, RunRow

BASE: Final = "/plugins/backup_manager"


def accepted(body: JsonObject, location: str) -> EndpointResponse:
    """Return the answer to a request that begins something; ``location`` shows how far it is."""
    return EndpointResponse(status=202, body=body, headers={"Location": f"{BASE}{location}"})


def problem(status: int, detail: str) -> EndpointResponse:
    """Return a problem document of RFC 9457."""
    title = HTTPStatus(status).phrase
    body: JsonObject = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return EndpointResponse(status=status, body=body, content_type="application/problem+json")


def backup_json(backup: BackupRow) -> dict[str, JsonValue]:
    """Return a backup as the list shows it."""
    return {
        "id": backup.id,
        "state": backup.state,
        "project": backup.project,
        "origin": backup.origin,
        "requested_at": backup.requested_at,
        "taken_at": backup.taken_at,
        "completed_at": backup.completed_at,
        "memories": backup.memories,
        "versions": backup.versions,
        "models": backup.models,
        "key": backup.key_name,
        "error": backup.error,
        "check": None if backup.verified_at is None else {"at": backup.verified_at, "damage": backup.damage},
        "test": None if backup.test is None else {"at": backup.tested_at, **backup.test},
    }


def detail_json(backup: BackupRow, parts: Sequence[PartRow], runs: Sequence[RunRow]) -> JsonObject:
    """Return a backup with its progress, and what was done with it."""
    stored = [part for part in parts if part.name is not None]
    progress = {
        "parts": len(parts),
        "parts_stored": len(stored),
        "bytes": sum(part.bytes for part in parts),
        "bytes_done": sum(part.bytes for part in stored),
        "bytes_stored": sum(part.stored_bytes or 0 for part in stored),
    }
    return {**backup_json(backup), "progress": progress, "runs": [run_json(run) for run in runs]}


def run_json(run: RunRow) -> JsonObject:
    """Return a verification, a restore or a test."""
    return {
        "id": run.id,
        "backup": run.backup_id,
        "purpose": run.purpose,
        "state": run.state,
        "dry_run": run.dry_run,
        "conflict": run.conflict,
        "into_project": run.project,
        "progress": {"parts": run.parts, "parts_checked": run.position},
        "requested_at": run.requested_at,
        "completed_at": run.completed_at,
        "result": run.result,
        "error": run.error,
    }


def retention_json(policy: Policy, verdicts: Sequence[Verdict]) -> JsonObject:
    """Return what the policy keeps and what it would drop."""
    return {
        "policy": {
            "keep_hourly": policy.hourly,
            "keep_daily": policy.daily,
            "keep_weekly": policy.weekly,
            "keep_monthly": policy.monthly,
        },
        "backups": [
            {
                "id": verdict.candidate.id,
                "project": verdict.candidate.scope,
                "taken_at": verdict.candidate.taken_at.isoformat(),
                "good": verdict.candidate.good,
                "keep": verdict.keep,
                "reasons": list(verdict.reasons),
            }
            for verdict in verdicts
        ],
        "would_drop": [verdict.candidate.id for verdict in verdicts if not verdict.keep],
    }
