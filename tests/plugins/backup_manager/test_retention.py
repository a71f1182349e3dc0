"""The policy keeps grandfathers, fathers and sons, and never lets the last good backup go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from plugins.backup_manager.retention import Candidate, Policy, judge

NOW = datetime(2026, 11, 25, 2, tzinfo=UTC)  # a Wednesday
NOTHING = Policy(hourly=0, daily=0, weekly=0, monthly=0)
USUAL = Policy(hourly=0, daily=7, weekly=5, monthly=12)


def nightly(nights: int) -> list[Candidate]:
    """Return a backup of each of the last nights; the id says how many days old it is."""
    return [Candidate(id=f"{age:04}", scope=None, taken_at=NOW - timedelta(days=age)) for age in range(nights)]


def kept(candidates: list[Candidate], policy: Policy) -> dict[str, tuple[str, ...]]:
    return {verdict.candidate.id: verdict.reasons for verdict in judge(candidates, policy) if verdict.keep}


def test_after_a_year_of_nights_the_usual_policy_keeps_days_weeks_and_months() -> None:
    reasons = kept(nightly(400), USUAL)
    assert [name for name, why in reasons.items() if "daily" in why] == [f"{age:04}" for age in range(7)]
    # This week's newest, then each Sunday's.
    assert [name for name, why in reasons.items() if "weekly" in why] == ["0000", "0003", "0010", "0017", "0024"]
    # This month's newest, then the last day of each month before.
    months = [NOW - timedelta(days=int(name)) for name, why in reasons.items() if "monthly" in why]
    assert [(time.year, time.month) for time in months] == [(2026, month) for month in range(11, 0, -1)] + [(2025, 12)]
    assert all((time + timedelta(days=1)).day == 1 for time in months[1:])


def test_of_one_period_the_newest_is_kept() -> None:
    hours = [Candidate(id=str(hour), scope=None, taken_at=NOW.replace(hour=hour)) for hour in range(6)]
    policy = Policy(hourly=2, daily=1, weekly=0, monthly=0)
    assert kept(hours, policy) == {"5": ("last good", "hourly", "daily"), "4": ("hourly",)}


def test_a_policy_that_keeps_nothing_keeps_the_last_good_one() -> None:
    newest, *others = nightly(3)
    damaged = Candidate(id=newest.id, scope=None, taken_at=newest.taken_at, good=False)
    assert kept([damaged, *others], NOTHING) == {"0001": ("last good",)}


def test_damaged_ones_stay_for_as_long_as_there_is_no_good_one() -> None:
    damaged = [Candidate(id=str(age), scope=None, taken_at=NOW - timedelta(days=age), good=False) for age in range(3)]
    assert set(kept(damaged, NOTHING)) == {"0", "1", "2"}


def test_a_damaged_one_takes_no_place_of_a_good_one() -> None:
    morning = Candidate(id="good", scope=None, taken_at=NOW)
    evening = Candidate(id="damaged", scope=None, taken_at=NOW + timedelta(hours=12), good=False)
    assert set(kept([morning, evening], USUAL)) == {"good"}


def test_what_someone_asked_for_stays_and_takes_no_place() -> None:
    asked = Candidate(id="asked", scope=None, taken_at=NOW + timedelta(hours=1), pinned=True)
    policy = Policy(hourly=0, daily=1, weekly=0, monthly=0)
    assert kept([asked, *nightly(2)], policy) == {"asked": ("requested", "last good"), "0000": ("daily",)}


def test_projects_are_kept_apart() -> None:
    project = Candidate(id="project", scope="team", taken_at=NOW - timedelta(days=300))
    assert set(kept([project, *nightly(5)], NOTHING)) == {"project", "0000"}


candidates = st.lists(
    st.builds(
        Candidate,
        id=st.uuids().map(str),
        scope=st.sampled_from([None, "a", "b"]),
        taken_at=st.timedeltas(timedelta(), timedelta(days=1000)).map(lambda age: NOW - age),
        good=st.booleans(),
        pinned=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda candidate: candidate.id,
)
counts = st.integers(0, 5)
policies = st.builds(Policy, hourly=counts, daily=counts, weekly=counts, monthly=counts)


@given(candidates, policies)
def test_the_newest_good_backup_of_each_scope_always_stays(given_ones: list[Candidate], policy: Policy) -> None:
    stays = {verdict.candidate.id for verdict in judge(given_ones, policy) if verdict.keep}
    for scope in {candidate.scope for candidate in given_ones}:
        good = [candidate for candidate in given_ones if candidate.scope == scope and candidate.good]
        if good:
            assert max(good, key=lambda candidate: (candidate.taken_at, candidate.id)).id in stays


@given(candidates, policies)
def test_applying_the_policy_twice_drops_no_more_than_once(given_ones: list[Candidate], policy: Policy) -> None:
    once = [verdict.candidate for verdict in judge(given_ones, policy) if verdict.keep]
    twice = [verdict.candidate for verdict in judge(once, policy) if verdict.keep]
    assert twice == once
