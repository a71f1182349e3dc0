"""A schedule that EventBridge would refuse is told with what it takes."""

from __future__ import annotations

import pytest

from plugin_kit.schedule_checks import schedule_faults


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(15 minutes)",
        "rate(1 day)",
        "cron(0 3 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0 10 ? * 6#3 2027)",
        "cron(0 0 L * ? *)",
        "at(2027-01-31T08:00:00)",
    ],
)
def test_what_eventbridge_takes_is_taken(expression: str) -> None:
    assert list(schedule_faults(expression)) == []


@pytest.mark.parametrize(
    ("expression", "fix"),
    [
        ("daily", "write rate(...), cron(...) or at(...)"),
        (5, "write rate(...), cron(...) or at(...)"),
        ("rate(0 minutes)", "write rate(<number> minutes), rate(<number> hours) or rate(<number> days)"),
        ("rate(5 seconds)", "write rate(<number> minutes), rate(<number> hours) or rate(<number> days)"),
        (
            "cron(0 3 * * *)",
            "write cron(<minutes> <hours> <day of month> <month> <day of week> <year>), with one space between",
        ),
        (
            "cron(0 3 * * * *)",
            "write ? for the day of the month or for the day of the week, and a value for the other",
        ),
        (
            "cron(0 3 ? * ? *)",
            "write ? for the day of the month or for the day of the week, and a value for the other",
        ),
        ("at(2027-02-30T08:00:00)", "write at(yyyy-mm-ddThh:mm:ss), a time in UTC"),
        ("at(tomorrow)", "write at(yyyy-mm-ddThh:mm:ss), a time in UTC"),
    ],
)
def test_what_eventbridge_refuses_is_told_with_the_fix(expression: object, fix: str) -> None:
    assert list(schedule_faults(expression)) == [fix]
