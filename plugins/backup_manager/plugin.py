"""Backs memories up by schedule and on request, compressed and encrypted, and restores them."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from plugin_kit.context import Context
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import EndpointRequest, EndpointResponse

from . import keeping, making, removing, restoring, watching
from .answers import accepted, backup_json, detail_json, problem, retention_json, run_json
from .catalogue import adopt_backups, write_catalogue
from .configuration import SCHEMA, Configuration
from .endpoints import ENDPOINTS
from .faults import Fault, Refused
from .run_records import RunOptions
from .tables import TABLES
from .work import Work

PLUGIN_INFO = {
    "name": "Backup Manager",
    "version": "1.0.0",
    "description": "Backs memories up by schedule and on request, compressed and encrypted, and restores them",
    "author": "The mcp-memory-server authors",
    "hooks": [],
    "permissions": ["memory:read", "memory:write", "database:read", "database:write", "files", "users"],
    "config": SCHEMA,
    "secrets": ["encryption_key", "retired_keys"],
    "schedules": {
        "back_up_everyone": "cron(0 2 * * ? *)",
        "test_restores": "cron(0 4 ? * SUN *)",
        "look_after": "rate(5 minutes)",
    },
    "tasks": [
        "back_up",
        "test_latest",
        "take_up",
        "snapshot_taken",
        "advance_backup",
        "advance_run",
        "loaded",
        "remove_backup",
    ],
    "endpoints": ENDPOINTS,
}


async def initialize(context: Context) -> None:
    await context["database_service"].execute(TABLES)


async def back_up_everyone(context: Context) -> None:
    if Configuration.of(context).automatic:
        await context["memory_service"].for_every_user("back_up")


async def test_restores(context: Context) -> None:
    if Configuration.of(context).automatic:
        await context["memory_service"].for_every_user("test_latest")


async def look_after(context: Context) -> None:
    if await watching.anything_lies(context["database_service"]):
        await context["memory_service"].for_every_user("take_up")


async def back_up(arguments: JsonObject, context: Context) -> None:
    try:
        await making.begin(Work.of(context), None, "schedule")
    except Refused as refused:
        context["logger"].info("no scheduled backup: %s", refused)
    except Fault as fault:
        context["logger"].error("no scheduled backup: %s", fault)


async def test_latest(arguments: JsonObject, context: Context) -> None:
    work = Work.of(context)
    backups = [backup for backup in await work.backups.list(["complete"]) if backup.damage is None]
    if backups:
        try:
            await restoring.begin(work, backups[0].id, "test")
        except Refused as refused:
            context["logger"].info("no test restore: %s", refused)


async def take_up(arguments: JsonObject, context: Context) -> None:
    await watching.take_up(Work.of(context), context["database_service"])


async def snapshot_taken(arguments: JsonObject, context: Context) -> None:
    snapshot = cast(JsonObject, arguments["snapshot"])
    await making.snapshot_taken(Work.of(context), str(arguments["backup"]), snapshot)


async def advance_backup(arguments: JsonObject, context: Context) -> None:
    await making.advance(Work.of(context), str(arguments["backup"]))


async def advance_run(arguments: JsonObject, context: Context) -> None:
    await restoring.advance(Work.of(context), str(arguments["run"]))


async def loaded(arguments: JsonObject, context: Context) -> None:
    await restoring.loaded(Work.of(context), str(arguments["run"]), cast(JsonObject, arguments["load"]))


async def remove_backup(arguments: JsonObject, context: Context) -> None:
    work = Work.of(context)
    await removing.clear(work, str(arguments["backup"]))
    await write_catalogue(work)


async def post_backup(request: EndpointRequest, context: Context) -> EndpointResponse:
    project = cast("str | None", cast(JsonObject, request.body or {}).get("project"))
    try:
        backup = await making.begin(Work.of(context), project, "request")
    except Refused as refused:
        return problem(refused.status, refused.detail)
    except Fault as fault:
        return problem(409, str(fault))
    return accepted(backup_json(backup), f"/backups/{backup.id}")


async def get_backups(request: EndpointRequest, context: Context) -> JsonValue:
    work = Work.of(context)
    await watching.take_up(work, context["database_service"])
    backups = await work.backups.list()
    if not backups:
        await adopt_backups(work)
        backups = await work.backups.list()
    return {"backups": [backup_json(backup) for backup in backups]}


async def get_backup(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    work = Work.of(context)
    await watching.take_up(work, context["database_service"])
    backup_id = _id(request)
    backup = None if backup_id is None else await work.backups.get(backup_id)
    if backup is None:
        return _no_backup(request)
    return detail_json(backup, await work.backups.parts(backup.id), await work.runs.of_backup(backup.id))


async def get_run(request: EndpointRequest, context: Context) -> JsonValue | EndpointResponse:
    work = Work.of(context)
    await watching.take_up(work, context["database_service"])
    run_id = _id(request)
    run = None if run_id is None else await work.runs.get(run_id)
    if run is None:
        return problem(404, f"there is no run {request.path_params['id']}: GET /backups/<id> lists those of a backup")
    return run_json(run)


async def verify_backup(request: EndpointRequest, context: Context) -> EndpointResponse:
    return await _begin_run(request, context, "verify", restoring.AS_IT_WAS)


async def restore_backup(request: EndpointRequest, context: Context) -> EndpointResponse:
    body = cast(JsonObject, request.body or {})
    options: RunOptions = {
        "dry_run": bool(body.get("dry_run", False)),
        "conflict": str(body.get("conflict", "skip")),
        "project": cast("str | None", body.get("into_project")),
    }
    return await _begin_run(request, context, "restore", options)


async def delete_backup(request: EndpointRequest, context: Context) -> EndpointResponse:
    work = Work.of(context)
    backup_id = _id(request)
    if backup_id is None or await work.backups.get(backup_id) is None:
        return _no_backup(request)
    if backup_id in await work.runs.busy():
        return problem(409, f"the backup {backup_id} is being read: wait for its run, which GET /backups/<id> shows")
    await keeping.remove(work, backup_id)
    return EndpointResponse(status=202, body={"id": backup_id, "state": "removing"})


async def get_retention(request: EndpointRequest, context: Context) -> JsonValue:
    work = Work.of(context)
    return retention_json(work.configuration.policy, await keeping.verdicts(work))


async def _begin_run(request: EndpointRequest, context: Context, purpose: str, options: RunOptions) -> EndpointResponse:
    backup_id = _id(request)
    if backup_id is None:
        return _no_backup(request)
    try:
        run = await restoring.begin(Work.of(context), backup_id, purpose, options)
    except Refused as refused:
        return problem(refused.status, refused.detail)
    return accepted(run_json(run), f"/runs/{run.id}")


def _no_backup(request: EndpointRequest) -> EndpointResponse:
    return problem(404, f"there is no backup {request.path_params['id']}: GET /backups lists those that there are")


def _id(request: EndpointRequest) -> str | None:
    """Return the id of the path, None where it is none."""
    try:
        return str(UUID(request.path_params["id"]))
    except ValueError:
        return None
