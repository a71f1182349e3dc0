"""Health: alive, and ready."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from memory_api.auth import known
from memory_api.dependencies import Health, PluginReports
from memory_api.problems import problem, problems
from memory_api.schemas.health import Alive, PartOut, PluginReportOut, Ready
from plugin_kit.json_types import JsonValue

router = APIRouter(prefix="/health", tags=["health"])


@router.get("", responses=problems(401))
async def get_health() -> Alive:
    """Tell that the process answers."""
    return Alive()


@router.get("/ready", response_model=Ready, responses=problems(401, 503))
async def get_readiness(request: Request, health: Health, reports: PluginReports) -> Ready | Response:
    """Ask the database, the embedder, the bus and the state whether they answer; 503 where one does not.

    To a credential with plugins:admin it tells which, and what the plugins reported of themselves, which changes
    nothing: null where it is not at hand.
    """
    caller = known(request)
    in_detail = caller is not None and "plugins:admin" in caller.scopes
    answers, recent = await asyncio.gather(health.readiness(), reports.recent())
    missing = [name for name, answer in answers.items() if answer.error is not None]
    parts = {name: PartOut.of(answer) for name, answer in answers.items()}
    plugins = None if recent is None else {name: PluginReportOut.of(report) for name, report in recent.items()}
    if not missing:
        return Ready(parts=parts, plugins=plugins) if in_detail else Ready(parts=None, plugins=None)
    details: dict[str, JsonValue] = {
        "parts": {name: part.model_dump() for name, part in parts.items()},
        "plugins": None if plugins is None else {name: item.model_dump(mode="json") for name, item in plugins.items()},
    }
    return problem(
        request,
        503,
        kind="not-ready",
        title="The server is not ready",
        detail=f"missing: {', '.join(missing)}" if in_detail else None,
        headers={"Retry-After": "5"},
        **(details if in_detail else {}),
    )
