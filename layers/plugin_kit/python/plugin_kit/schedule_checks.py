"""The checks of schedules: an EventBridge expression that no one would accept is told before anyone is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, cast

_RATE: Final = re.compile(r"rate\([1-9]\d* (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\(([0-9A-Za-z*,/?#-]+(?: [0-9A-Za-z*,/?#-]+)*)\)")
_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_CRON_FIELDS: Final = 6


def schedules_faults(value: object) -> Iterator[str]:
    """Yield what is wrong with the dict of function names and expressions."""
    if not isinstance(value, dict):
        yield f"is {value!r}: write a dict of function names and schedule expressions"
        return
    for name, expression in cast("dict[object, object]", value).items():
        for fault in schedule_faults(expression):
            yield f"gives {name!r} the expression {expression!r}: {fault}"


def schedule_faults(expression: object) -> Iterator[str]:
    """Yield how the schedule ``expression`` must be changed."""
    text = expression if isinstance(expression, str) else ""
    if text.startswith("rate("):
        if not _RATE.fullmatch(text):
            yield "write rate(<number> minutes), rate(<number> hours) or rate(<number> days)"
    elif text.startswith("cron("):
        yield from _cron_faults(text)
    elif text.startswith("at("):
        if not _is_time(text):
            yield "write at(yyyy-mm-ddThh:mm:ss), a time in UTC"
    else:
        yield "write rate(...), cron(...) or at(...)"


def _cron_faults(text: str) -> Iterator[str]:
    match = _CRON.fullmatch(text)
    fields = match[1].split(" ") if match else []
    if len(fields) != _CRON_FIELDS:
        yield "write cron(<minutes> <hours> <day of month> <month> <day of week> <year>), with one space between"
    elif (fields[2] == "?") == (fields[4] == "?"):
        yield "write ? for the day of the month or for the day of the week, and a value for the other"


def _is_time(text: str) -> bool:
    match = _AT.fullmatch(text)
    try:
        return match is not None and bool(datetime.fromisoformat(match[1]))
    except ValueError:
        return False
