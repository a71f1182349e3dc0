"""Health: alive, and ready."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from memory_api.dependencies import Health, PluginReports
from memory_api.problems import problem, problems
from memory_api.schemas.health import Alive, PartOut, PluginReportOut, Ready

router = APIRouter(prefix="/health", tags=["health"])


@router.get("")
async def get_health() -> Alive:
    """Tell that the process answers."""
    return Alive()


@router.get("/ready", response_model=Ready, responses=problems(503))
async def get_readiness(request: Request, health: Health, reports: PluginReports) -> Ready | Response:
    """Ask the database, the embedder, the bus and the state whether they answer; 503 names what does not.

    What the plugins reported of themselves is told too and changes nothing: null where it is not at hand.
    """
    answers, recent = await asyncio.gather(health.readiness(), reports.recent())
    parts = {name: PartOut.of(answer) for name, answer in answers.items()}
    plugins = None if recent is None else {name: PluginReportOut.of(report) for name, report in recent.items()}
    missing = [name for name, part in parts.items() if part.error is not None]
    if not missing:
        return Ready(parts=parts, plugins=plugins)
    return problem(
        request,
        503,
        kind="not-ready",
        title="The server is not ready",
        detail=f"missing: {', '.join(missing)}",
        headers={"Retry-After": "5"},
        parts={name: part.model_dump() for name, part in parts.items()},
        plugins=None if plugins is None else {name: report.model_dump(mode="json") for name, report in plugins.items()},
    )
