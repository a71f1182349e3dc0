"""Health in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from memory_server.services.health import PartHealth
from memory_server.services.plugin_reports import PluginReport


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class PartOut(BaseModel):
    """How one part of the server answered."""

    status: Literal["ok", "missing"]
    latency_ms: float
    error: str | None

    @classmethod
    def of(cls, health: PartHealth) -> PartOut:
        """Return the answer that shows ``health``."""
        return cls(status="ok" if health.error is None else "missing", latency_ms=health.latency_ms, error=health.error)


class PluginReportOut(BaseModel):
    """How a plugin says that it is."""

    model_config = ConfigDict(from_attributes=True)

    enabled: bool
    health: JsonValue = Field(description="What its health_check returned last.")
    reported_at: datetime | None
    last_error: str | None

    @classmethod
    def of(cls, report: PluginReport) -> PluginReportOut:
        """Return the answer that shows ``report``."""
        return cls.model_validate(report)


class Ready(BaseModel):
    """Every part that requests need answers. How, is for those to see who administer plugins."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ready",
                    "parts": {"database": {"status": "ok", "latency_ms": 1.2, "error": None}},
                    "plugins": {
                        "memory_analytics": {
                            "enabled": True,
                            "health": {"status": "ok"},
                            "reported_at": "2026-01-31T12:00:00Z",
                            "last_error": None,
                        }
                    },
                }
            ]
        }
    )

    status: Literal["ready"] = "ready"
    parts: dict[str, PartOut] | None = None
    plugins: dict[str, PluginReportOut] | None = Field(
        None, description="The plugins by id, as some seconds ago; null where that could not be learned in time."
    )
