"""Rules: which events go to which channel, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugin_kit.json_types import JsonObject

from .errors import InvalidSettings
from .notices import Notice
from .templates import Template

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``start`` to ``end`` of each day in ``zone`` nothing is sent; where start is after end, over midnight."""

    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def of(cls, value: JsonObject) -> QuietHours:
        """Return the quiet hours of a rule: ``start`` and ``end`` as HH:MM, ``time_zone`` as Europe/Berlin.

        Raises:
            InvalidSettings: they have another form, or there is no such time zone.
        """
        try:
            start, end = (time.fromisoformat(str(value[key])) for key in ("start", "end"))
            zone = ZoneInfo(str(value.get("time_zone", "UTC")))
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise InvalidSettings(
                "quiet_hours: write start and end such as 22:00, and time_zone such as Europe/Berlin"
            ) from None
        if start == end:
            raise InvalidSettings("quiet_hours: start and end are the same: leave quiet_hours out, or disable the rule")
        return cls(start, end, zone)

    def after(self, moment: datetime) -> datetime:
        """Return ``moment``, or the end of the quiet hours that it lies in."""
        local = moment.astimezone(self.zone)
        clock = local.time()
        over_midnight = self.start > self.end
        quiet = (clock >= self.start or clock < self.end) if over_midnight else self.start <= clock < self.end
        if not quiet:
            return moment
        day = local.date() + timedelta(days=1 if over_midnight and clock >= self.start else 0)
        return datetime.combine(day, self.end, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it was checked. Of the filters, those that are None let all through; the others must all fit.

    ``digest_minutes`` 0 sends at once; else what has come is sent together, each time so many minutes are over.
    """

    hooks: frozenset[str]
    projects: frozenset[str] | None
    memory_types: frozenset[str] | None
    tags_any: frozenset[str] | None
    tags_all: frozenset[str] | None
    min_importance: float
    bulk: bool
    digest_minutes: int
    quiet_hours: QuietHours | None
    enabled: bool

    @classmethod
    def of(cls, settings: JsonObject) -> Rule:
        """Return the rule of ``settings``, which fit the endpoint's JSON Schema.

        Raises:
            InvalidSettings: the quiet hours or the template are wrong.
        """
        Template.of(cast("JsonObject | None", settings.get("template")))
        quiet = cast("JsonObject | None", settings.get("quiet_hours"))
        return cls(
            hooks=frozenset(cast("Sequence[str]", settings["hooks"])),
            projects=_names(settings, "projects"),
            memory_types=_names(settings, "memory_types"),
            tags_any=_names(settings, "tags_any"),
            tags_all=_names(settings, "tags_all"),
            min_importance=float(cast(float, settings.get("min_importance", 0.0))),
            bulk=bool(settings.get("bulk", False)),
            digest_minutes=int(cast(int, settings.get("digest_minutes", 0))),
            quiet_hours=None if quiet is None else QuietHours.of(quiet),
            enabled=bool(settings.get("enabled", True)),
        )

    def wants(self, notice: Notice) -> bool:
        """Return whether the rule tells of ``notice``; a filter on what the event does not know lets nothing by."""
        tags = frozenset(notice.tags or ())
        return (
            self.enabled
            and notice.hook in self.hooks
            and (self.bulk or not notice.bulk)
            and (self.projects is None or notice.project in self.projects)
            and (self.memory_types is None or notice.memory_type in self.memory_types)
            and (self.tags_any is None or not self.tags_any.isdisjoint(tags))
            and (self.tags_all is None or self.tags_all <= tags)
            and (not self.min_importance or (notice.importance or 0.0) >= self.min_importance)
        )

    def due(self, now: datetime) -> datetime:
        """Return when a notice that comes ``now`` is to be sent."""
        moment = now
        if self.digest_minutes:
            period = timedelta(minutes=self.digest_minutes)
            moment = _EPOCH + ((now - _EPOCH) // period + 1) * period
        return moment if self.quiet_hours is None else self.quiet_hours.after(moment)


def _names(settings: JsonObject, key: str) -> frozenset[str] | None:
    value = cast("Sequence[str] | None", settings.get(key))
    return None if value is None else frozenset(value)
