"""Health in answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from memory_server.services.health import PartHealth


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


class Ready(BaseModel):
    """Every part that requests need answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"status": "ready", "parts": {"database": {"status": "ok", "latency_ms": 1.2, "error": None}}}]
        }
    )

    status: Literal["ready"] = "ready"
    parts: dict[str, PartOut]
