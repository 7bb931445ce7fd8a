"""The idle rule by properties: busy work is never ended, a forgotten tab is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.workloads import idle_rules
from services.workloads.idle_rules import Limits, Quiet, Turn

START = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.integers(0, 200_000).map(lambda seconds: START + timedelta(seconds=seconds))
limits_ = st.builds(
    Limits,
    idle=st.sampled_from([0.0, 60.0, 3600.0]),
    forgotten=st.sampled_from([0.0, 600.0, 43_200.0]),
    warning=st.sampled_from([0.0, 30.0, 600.0]),
)
quiets = st.builds(
    Quiet,
    started_at=st.just(START),
    last=st.none() | moments,
    told_at=st.none() | moments,
    busy=st.none() | st.just("kernel of fit.ipynb is busy"),
    connections=st.integers(0, 3),
    keep_until=st.none() | moments,
    warned_of=st.none() | moments,
)


def warned(quiet: Quiet, limits: Limits) -> Quiet:
    """The same, after its person has been warned."""
    return replace(quiet, warned_of=idle_rules.end_of(quiet, limits))


@given(quiets, limits_, moments)
def test_what_is_busy_or_has_told_nothing_is_left_alone(
    quiet: Quiet, limits: Limits, now: datetime
) -> None:
    busy = replace(quiet, busy="a program works in a terminal")
    silent = replace(quiet, told_at=None)
    for one in (busy, silent, warned(busy, limits), warned(silent, limits)):
        assert idle_rules.turn_of(one, limits, now) is Turn.LEAVE
        assert idle_rules.end_of(one, limits) is None


@given(quiets, limits_, moments)
def test_nothing_is_ended_early_unwarned_or_on_old_word(
    quiet: Quiet, limits: Limits, now: datetime
) -> None:
    if idle_rules.turn_of(quiet, limits, now) is not Turn.END:
        return
    end = idle_rules.end_of(quiet, limits)
    assert end is not None
    assert end <= now
    assert quiet.warned_of == end
    assert quiet.told_at is not None
    assert quiet.told_at >= end
    assert quiet.busy is None
    since = max(quiet.started_at, quiet.last or quiet.started_at)
    assert (end - since).total_seconds() >= limits.idle > 0
    assert quiet.keep_until is None or now >= quiet.keep_until


@given(quiets, limits_)
def test_what_is_quiet_for_ever_is_ended_in_the_end(quiet: Quiet, limits: Limits) -> None:
    later = START + timedelta(days=30)
    still = warned(replace(quiet, busy=None, told_at=later), limits)
    turn = idle_rules.turn_of(still, limits, later)
    forever = limits.idle == 0 or (quiet.connections > 0 and limits.forgotten == 0)
    assert turn is (Turn.LEAVE if forever else Turn.END)


@given(quiets, limits_, moments)
def test_a_lease_only_ever_puts_the_end_off(quiet: Quiet, limits: Limits, until: datetime) -> None:
    end = idle_rules.end_of(replace(quiet, keep_until=None), limits)
    kept = idle_rules.end_of(replace(quiet, keep_until=until), limits)
    assert (end is None) == (kept is None)
    if end is not None and kept is not None:
        assert kept == max(end, until)


@given(quiets, limits_)
def test_an_open_page_never_shortens_the_time(quiet: Quiet, limits: Limits) -> None:
    alone = idle_rules.end_of(replace(quiet, connections=0), limits)
    open_ = idle_rules.end_of(replace(quiet, connections=1), limits)
    assert open_ is None or (alone is not None and open_ >= alone)


@given(quiets, limits_, moments)
def test_a_warning_is_given_once_for_each_end(quiet: Quiet, limits: Limits, now: datetime) -> None:
    assert idle_rules.turn_of(warned(quiet, limits), limits, now) is not Turn.WARN


def test_the_reason_is_a_sentence() -> None:
    quiet = Quiet(START, START, START, None, 0, None, None)
    assert idle_rules.reason_of(quiet, Limits(3600, 7200, 0)) == "no activity for 60 minutes"
    tab = replace(quiet, connections=2)
    assert idle_rules.reason_of(tab, Limits(3600, 7200, 0)) == (
        "no activity for 120 minutes, though a page was open"
    )
    assert idle_rules.span(60) == "1 minute"
    assert idle_rules.span(30) == "30 seconds"
