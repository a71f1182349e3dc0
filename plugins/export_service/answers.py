"""Jobs as the endpoints show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue

from . import exporting, names
from .jobs import Job

_COUNTS: Final = ("created", "updated", "skipped", "unchanged")


def config(context: Context) -> Mapping[str, int]:
    """Return the plugin's settings."""
    return cast("Mapping[str, int]", context["server_config"]["config"])


def view(job: Job) -> dict[str, JsonValue]:
    """Return the job without a link."""
    shown: dict[str, JsonValue] = {
        "id": job.id,
        "state": job.state,
        "progress": _progress(job),
        **{name: value for name, value in job.request.items() if name != "upload_id"},
        "memories": job.result.get("memories"),
        "error": job.error,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "expires_at": job.expires_at,
    }
    if job.kind == "export":
        shown["taken_at"] = job.result.get("taken_at")
    else:
        shown |= {name: job.result.get(name) for name in _COUNTS}
    return shown


async def export_view(job: Job, context: Context) -> JsonObject:
    """Return the export; where it is done, with a link to its file that expires."""
    if job.state != "done":
        return {**view(job), "download": None}
    seconds = 60 * config(context)["link_minutes"]
    expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
    filename = str(job.result["filename"])
    url = await context["database_service"].files.link(names.file(job.id), seconds=seconds, filename=filename)
    download = {name: job.result[name] for name in ("filename", "bytes", "sha256")}
    return {**view(job), "download": {"url": url, "expires_at": expires_at.isoformat(timespec="seconds"), **download}}


def _progress(job: Job) -> JsonObject:
    """Return how many of the steps that are known by now are done; the server's own work counts as one."""
    pieces = max(len(job.names("pieces")), 1)
    sources = max(len(job.files.get("sources", ())), 1)
    chunks = exporting.steps(job) if job.kind == "export" else 0
    steps = 1 + chunks + 1 if job.kind == "export" else sources + pieces + 1
    before = {"writing": 1, "joining": 1 + chunks, "checking": sources, "storing": sources + pieces, "done": steps}
    done = before.get(job.state, 0) + (job.step if job.is_running else 0)
    return {"done": done, "steps": steps, "percent": 100 * done // steps}
