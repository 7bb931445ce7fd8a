"""Which snapshots stay as they grow old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.sessions.snapshots.rules import Plan, thinned

PLAN = Plan(all_minutes=15, minutely_hours=4, hourly_days=2, daily_days=30)
NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
AGES = st.lists(st.integers(0, 40 * 86400), max_size=60).map(sorted)


def numbered(ages: list[int]) -> list[tuple[int, datetime]]:
    """Snapshots of these ages in seconds, the oldest first and lowest in number."""
    times = [NOW - timedelta(seconds=age) for age in sorted(ages, reverse=True)]
    return list(enumerate(times, 1))


def left(taken: list[tuple[int, datetime]], now: datetime) -> list[tuple[int, datetime]]:
    """What stays."""
    gone = thinned(taken, now, PLAN)
    return [one for one in taken if one[0] not in gone]


@given(AGES)
def test_the_newest_and_the_young_stay(ages: list[int]) -> None:
    taken = numbered(ages)
    gone = thinned(taken, NOW, PLAN)
    assert gone <= {number for number, _ in taken}
    if taken:
        assert taken[-1][0] not in gone
    for number, at in taken:
        if NOW - at <= timedelta(minutes=15):
            assert number not in gone


@given(AGES)
def test_doing_it_twice_changes_nothing(ages: list[int]) -> None:
    once = left(numbered(ages), NOW)
    assert left(once, NOW) == once


@given(AGES, st.integers(1, 10 * 86400), st.integers(1, 10 * 86400))
def test_it_does_not_matter_how_often_it_is_done_if_grains_hold(
    ages: list[int], first: int, second: int
) -> None:
    """A snapshot a day old or older is there for every day that had one, whatever went before."""
    taken = numbered(ages)
    later = NOW + timedelta(seconds=first)
    last = later + timedelta(seconds=second)
    often = left(left(left(taken, NOW), later), last)
    seldom = left(taken, last)
    days = {at.date() for _, at in seldom if timedelta(days=2) < last - at <= timedelta(days=30)}
    assert days <= {at.date() for _, at in often}


@given(AGES)
def test_there_is_a_bound_on_how_many_stay(ages: list[int]) -> None:
    kept = left(numbered(ages), NOW)
    old = [at for _, at in kept[:-1] if NOW - at > timedelta(days=2)]
    assert len(old) <= 31
    assert all(NOW - at <= timedelta(days=30) for at in old)


def test_an_hour_of_constant_work() -> None:
    taken = numbered(list(range(0, 6 * 3600, 4)))
    kept = left(taken, NOW)
    assert len(kept) < 15 * 15 + 4 * 60 + 4
    assert len([at for _, at in kept if NOW - at <= timedelta(minutes=15)]) == 226
