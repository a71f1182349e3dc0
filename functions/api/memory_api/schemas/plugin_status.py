"""How a plugin does, in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from memory_api.schemas.plugin_replay import ReplayOut
from memory_api.schemas.plugins import PluginOut
from memory_server.services.plugin_ports import PluginStatistics
from memory_server.services.plugin_status import PluginStatus


class HealthOut(BaseModel):
    """Whether deliveries succeed, and what the plugin itself says of its health."""

    state: Literal["ok", "failing", "disabled"] = Field(description="failing: its last delivery failed.")
    report: JsonValue = Field(description="What its health_check returned last; null where it never did.")
    reported_at: datetime | None


class LatencyOut(BaseModel):
    """For how long hooks ran, in milliseconds: the upper bound of the histogram's bucket, so a little more than it was.

    The bounds are 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000 and 30000. Null before the first run.
    """

    p50: int | None
    p95: int | None
    p99: int | None


class StatisticsOut(BaseModel):
    """What became of the plugin's deliveries since it was registered."""

    delivered: int
    failed: int
    error_rate: float = Field(ge=0, le=1, description="failed of all, 0 where there were none.")
    consecutive_failures: int = Field(description="Since the last delivery that succeeded, or since it was enabled.")
    last_delivered_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    last_endpoint_error: str | None = Field(description="What kept an endpoint of the plugin from answering.")
    last_endpoint_error_at: datetime | None
    latency_ms: LatencyOut

    @classmethod
    def of(cls, statistics: PluginStatistics) -> StatisticsOut:
        """Return the answer that shows ``statistics``."""
        return cls(
            delivered=statistics.delivered,
            failed=statistics.failed,
            error_rate=statistics.error_rate,
            consecutive_failures=statistics.consecutive_failures,
            last_delivered_at=statistics.last_delivered_at,
            last_error=statistics.last_error,
            last_error_at=statistics.last_error_at,
            last_endpoint_error=statistics.last_endpoint_error,
            last_endpoint_error_at=statistics.last_endpoint_error_at,
            latency_ms=LatencyOut(
                p50=statistics.latency(0.5), p95=statistics.latency(0.95), p99=statistics.latency(0.99)
            ),
        )


class QueueOut(BaseModel):
    """The events between the bus and the plugin; the figures may be some seconds old."""

    model_config = ConfigDict(from_attributes=True)

    waiting: int
    in_flight: int = Field(description="Being handled, or failed and soon tried again.")
    dead: int = Field(description="Events that failed for good, in the dead-letter queue.")


class PluginStatusOut(BaseModel):
    """How a plugin does."""

    plugin: PluginOut
    health: HealthOut
    statistics: StatisticsOut
    queue: QueueOut
    replay: ReplayOut | None = Field(description="Its last replay.")

    @classmethod
    def of(cls, status: PluginStatus) -> PluginStatusOut:
        """Return the answer that shows ``status``."""
        statistics = status.statistics
        return cls(
            plugin=PluginOut.of(status.registration),
            health=HealthOut.model_validate(
                {"state": status.health, "report": statistics.health, "reported_at": statistics.health_at}
            ),
            statistics=StatisticsOut.of(statistics),
            queue=QueueOut.model_validate(status.queue),
            replay=None if status.replay is None else ReplayOut.of(status.replay),
        )
