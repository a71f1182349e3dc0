"""What a batch adds to a plugin's statistics."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugin_kit.outcomes import Outcome, Result
from plugin_kit.tally import Tally

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def tally(*results: Result, milliseconds: int | None = None) -> Tally:
    made = Tally()
    for result in results:
        made.count(
            Outcome(
                event_id="1",
                hook="memory_created",
                result=result,
                attempt=1,
                at=AT,
                milliseconds=milliseconds,
                error="why" if result == "failed" else None,
            )
        )
    return made


def test_what_was_dropped_leaves_nothing_to_write() -> None:
    assert not tally("dropped", "dropped")


def test_failures_alone_are_added_to_those_in_a_row_before() -> None:
    made = tally("failed", "failed")
    assert made.add == {"failed": 2, "delivered": 0, "consecutive_failures": 2}
    assert made.put == {"last_error": "why", "last_error_at": AT.isoformat(), "last_error_of": ""}


def test_a_delivery_says_how_many_failures_in_a_row_there_are() -> None:
    made = tally("failed", "delivered", "failed")
    assert made.add == {"failed": 2, "delivered": 1}
    assert made.put["consecutive_failures"] == 1


@pytest.mark.parametrize(
    ("milliseconds", "bucket"),
    [(0, "ms_1"), (1, "ms_1"), (2, "ms_2"), (3, "ms_5"), (30_000, "ms_30000"), (99_000, "ms_30000")],
)
def test_a_time_is_counted_in_the_first_bucket_that_holds_it(milliseconds: int, bucket: str) -> None:
    assert tally("delivered", milliseconds=milliseconds).add[bucket] == 1
