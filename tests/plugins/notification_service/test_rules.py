"""Rules let through what they are for, when they are to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.models import SearchResult
from plugin_kit.testing import fire
from plugins.notification_service import plugin
from plugins.notification_service.rules import Rule
from tests.plugins.notification_service.notifier import MEMORY, Notifier
from tests.plugins.notification_service.receivers import HttpReceiver


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, True),
        ({"projects": ["home", "work"]}, True),
        ({"projects": ["work"]}, False),
        ({"memory_types": ["decision"]}, True),
        ({"memory_types": ["error"]}, False),
        ({"tags_any": ["cat", "dog"]}, True),
        ({"tags_any": ["dog"]}, False),
        ({"tags_all": ["cat", "pet"]}, True),
        ({"tags_all": ["cat", "dog"]}, False),
        ({"min_importance": 0.8}, True),
        ({"min_importance": 0.81}, False),
        ({"enabled": False}, False),
        ({"projects": ["home"], "memory_types": ["error"]}, False),
    ],
)
async def test_a_rule_lets_through_what_fits_all_its_filters(
    notifier: Notifier, receiver: HttpReceiver, settings: dict[str, JsonValue], wanted: bool
) -> None:
    await notifier.rule(await notifier.webhook(receiver), **settings)
    await notifier.created()
    assert len(receiver.received) == wanted


async def test_every_hook_is_told_by_the_rules_that_name_it(notifier: Notifier, receiver: HttpReceiver) -> None:
    result = SearchResult(memory=MEMORY, score=0.9)
    events: list[tuple[str, tuple[object, ...], str]] = [
        ("memory_created", (MEMORY,), "The cat sleeps."),
        ("memory_updated", (MEMORY,), "The cat sleeps."),
        ("memory_retrieved", (MEMORY,), "The cat sleeps."),
        ("memory_deleted", ("m-1",), ""),
        ("search_performed", ("cats?", [result]), "cats?\n1 results"),
        ("search_failed", ("cats?", "the embedder does not answer"), "cats?\nthe embedder does not answer"),
    ]
    channel = await notifier.webhook(receiver)
    for hook, arguments, _ in events:
        await fire(plugin, hook, *arguments, context=notifier.context())
        await notifier.rule(channel, hook)
        await fire(plugin, hook, *arguments, context=notifier.context())
    assert [entry["hook"] for entry in reversed(await notifier.log())] == [hook for hook, *_ in events]


async def test_a_filter_on_what_a_deletion_does_not_know_lets_nothing_by(
    notifier: Notifier, receiver: HttpReceiver
) -> None:
    channel = await notifier.webhook(receiver)
    await notifier.rule(channel, "memory_deleted", tags_any=["cat"])
    await fire(plugin, "memory_deleted", "m-1", context=notifier.context())
    assert receiver.received == []
    await notifier.rule(channel, "memory_deleted", projects=["home"])
    await fire(plugin, "memory_deleted", "m-1", context=notifier.context())
    assert len(receiver.received) == 1


async def test_mass_loads_are_told_one_by_one_only_if_a_rule_says_so(
    notifier: Notifier, receiver: HttpReceiver
) -> None:
    channel = await notifier.webhook(receiver)
    await notifier.rule(channel)
    await notifier.created(bulk="import-1")
    assert receiver.received == []
    await notifier.rule(channel, bulk=True)
    await notifier.created(bulk="import-1")
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-25T20:59:59+00:00", "2026-11-25T20:59:59+00:00"),
        ("2026-11-25T21:00:00+00:00", "2026-11-26T06:30:00+00:00"),
        ("2026-11-26T03:00:00+00:00", "2026-11-26T06:30:00+00:00"),
        ("2026-11-26T06:30:00+00:00", "2026-11-26T06:30:00+00:00"),
        ("2026-10-24T21:00:00+00:00", "2026-10-25T06:30:00+00:00"),  # clocks go back in the night
    ],
)
def test_quiet_hours_over_midnight_end_in_the_morning_of_their_zone(now: str, due: str) -> None:
    quiet: JsonObject = {"start": "22:00", "end": "07:30", "time_zone": "Europe/Berlin"}
    rule = Rule.of({"hooks": ["memory_created"], "quiet_hours": quiet})
    expected = datetime.fromisoformat(due)
    assert rule.due(datetime.fromisoformat(now)) == expected


def test_quiet_hours_of_a_day_end_on_it() -> None:
    rule = Rule.of({"hooks": [], "quiet_hours": {"start": "12:00", "end": "13:00"}})
    assert rule.due(datetime(2026, 11, 25, 12, 30, tzinfo=UTC)) == datetime(2026, 11, 25, 13, tzinfo=UTC)


def test_a_digest_is_due_when_its_period_is_over_and_no_quiet_hours_are() -> None:
    now = datetime(2026, 11, 25, 12, 34, tzinfo=UTC)
    assert Rule.of({"hooks": [], "digest_minutes": 60}).due(now) == datetime(2026, 11, 25, 13, tzinfo=UTC)
    quiet: JsonObject = {"start": "12:00", "end": "14:00"}
    due = Rule.of({"hooks": [], "digest_minutes": 60, "quiet_hours": quiet}).due(now)
    assert due == datetime(2026, 11, 25, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"quiet_hours": {"start": "22:00", "end": "29:00"}}, "quiet_hours: write"),
        ({"quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "Mars/Base"}}, "quiet_hours: write"),
        ({"quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "../../etc/passwd"}}, "quiet_hours: write"),
        ({"quiet_hours": {"start": "22:00", "end": "22:00"}}, "are the same"),
        ({"template": {"body": "{{secret}}"}}, "template.body: there is no field 'secret'"),
    ],
)
async def test_a_rule_that_is_wrong_is_refused_with_the_field(
    notifier: Notifier, receiver: HttpReceiver, settings: JsonObject, fault: str
) -> None:
    channel = await notifier.webhook(receiver)
    body: JsonObject = {"channel_id": channel, "hooks": ["memory_created"], **settings}
    answer = await notifier.ask("POST", "/rules", body)
    assert answer.status == 422
    assert fault in str(answer.body)


async def test_a_rule_can_be_changed_and_a_setting_taken_away(notifier: Notifier, receiver: HttpReceiver) -> None:
    rule = await notifier.rule(await notifier.webhook(receiver), projects=["work"])
    changed = await notifier.got("PATCH", f"/rules/{rule}", {"projects": None, "min_importance": 0.5})
    assert "projects" not in changed
    assert await notifier.got("GET", f"/rules/{rule}") == changed
    await notifier.created()
    assert len(receiver.received) == 1
    await notifier.got("DELETE", f"/rules/{rule}")
    await notifier.created()
    assert len(receiver.received) == 1


async def test_what_waits_goes_with_its_rule(notifier: Notifier, receiver: HttpReceiver) -> None:
    rule = await notifier.rule(await notifier.webhook(receiver), digest_minutes=60)
    await notifier.created()
    await notifier.got("DELETE", f"/rules/{rule}")
    await notifier.pass_time(3600)
    assert receiver.received == []


async def test_the_log_goes_from_new_to_old_in_pages(notifier: Notifier, receiver: HttpReceiver) -> None:
    channel = await notifier.webhook(receiver)
    await notifier.rule(channel)
    for number in range(5):
        await notifier.created(replace(MEMORY, id=str(number)), event_id=f"page-{number}")
    first = await notifier.log(limit="2")
    rest = await notifier.log(before=str(first[-1]["id"]), channel=channel, state="sent")
    assert [entry["event_id"] for entry in (*first, *rest)] == [f"page-{number}" for number in (4, 3, 2, 1, 0)]
    for query in ({"limit": "0"}, {"limit": "x"}, {"state": "lost"}, {"page": "2"}):
        answer = await notifier.ask("GET", "/notifications", **query)
        assert answer.status == 422
