"""The rules of workloads, by properties: whatever agents say in whatever order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.planes.protocol import Outcome, Phase
from services.workloads import rules
from services.workloads.rules import ADMITTED, FINAL, LEGAL, Amount, Ending, Standing, Status, Step

statuses = st.sampled_from(list(Status))
standings = st.builds(
    Standing,
    status=statuses,
    wants_stop=st.booleans(),
    attempt=st.integers(1, 20),
    retries=st.integers(0, 10),
    mishaps=st.integers(0, 5),
)
endings = st.builds(
    Ending,
    outcome=st.sampled_from(list(Outcome)),
    reason=st.none() | st.text(max_size=20),
    retryable=st.booleans(),
)
attempts = st.integers(0, 22)


def steps_of(standing: Standing, attempt: int, phase: Phase, ending: Ending) -> list[Step]:
    """Everything that any message could do to a workload."""
    found = [
        rules.on_phase(standing, attempt, phase),
        rules.on_finished(standing, attempt, ending),
        rules.on_stop(standing),
    ]
    return [step for step in found if step is not None]


@given(standings, attempts, st.sampled_from(list(Phase)), endings)
def test_every_step_is_legal(
    standing: Standing, attempt: int, phase: Phase, ending: Ending
) -> None:
    for step in steps_of(standing, attempt, phase, ending):
        assert step.status is standing.status or step.status in LEGAL[standing.status]


@given(standings, attempts, st.sampled_from(list(Phase)), endings)
def test_a_final_status_never_changes(
    standing: Standing, attempt: int, phase: Phase, ending: Ending
) -> None:
    final = replace(standing, status=Status.SUCCEEDED)
    assert steps_of(final, attempt, phase, ending) == []


@given(standings, st.sampled_from(list(Phase)), endings, st.integers(1, 30))
def test_reports_of_another_attempt_change_nothing(
    standing: Standing, phase: Phase, ending: Ending, off: int
) -> None:
    assert rules.on_phase(standing, standing.attempt + off, phase) is None
    assert rules.on_finished(standing, standing.attempt - off, ending) is None


@given(standings, st.lists(st.sampled_from(list(Phase)), max_size=8))
def test_phases_only_ever_lead_forward(standing: Standing, phases: list[Phase]) -> None:
    for phase in phases:
        step = rules.on_phase(standing, standing.attempt, phase)
        if step is not None:
            assert rules.RANK[step.status] > rules.RANK[standing.status]
            standing = replace(standing, status=step.status)


@given(standings, endings)
def test_who_wants_a_stop_is_never_tried_again(standing: Standing, ending: Ending) -> None:
    wanting = replace(standing, wants_stop=True)
    step = rules.on_finished(wanting, wanting.attempt, ending)
    assert step is None or step.status in FINAL


@given(st.integers(0, 10), endings)
def test_attempts_come_to_an_end(retries: int, ending: Ending) -> None:
    standing = Standing(Status.RUNNING, False, 1, retries, 0)
    for _ in range(retries + rules.MISHAPS_MOST + 1):
        step = rules.on_finished(standing, standing.attempt, ending)
        assert step is not None
        if step.status in FINAL:
            break
        assert step.pause is not None
        assert 0 < step.pause <= rules.RETRY_PAUSE_MOST
        standing = replace(
            standing, attempt=standing.attempt + 1, mishaps=standing.mishaps + step.mishap
        )
    else:
        raise AssertionError("it was tried again for ever")
    if ending.outcome is Outcome.FAILED:
        assert standing.attempt == retries + 1


@given(standings)
def test_stop_is_always_possible_until_the_end(standing: Standing) -> None:
    step = rules.on_stop(standing)
    if standing.status in FINAL or standing.status is Status.STOPPING:
        assert step is None
    else:
        assert step is not None
        assert step.status in (Status.STOPPING, Status.STOPPED)


amounts = st.builds(
    Amount,
    cpu=st.floats(0.1, 64),
    memory=st.integers(1, 1 << 40),
    gpu=st.integers(0, 8),
)


@given(amounts, amounts)
def test_what_fits_has_no_reason_to_wait(wanted: Amount, free: Amount) -> None:
    reason = rules.waits_for(wanted, free, "small")
    fits = wanted.cpu <= free.cpu and wanted.memory <= free.memory and wanted.gpu <= free.gpu
    if fits:
        assert reason is None
    elif reason is not None:
        assert "tier small" in reason


def test_ten_tenths_of_a_core_fill_it() -> None:
    free = Amount(1.0, 1 << 30)
    for _ in range(10):
        assert rules.waits_for(Amount(0.1, 1), free, "tiny") is None
        free = free.minus(Amount(0.1, 1))
    assert rules.waits_for(Amount(0.1, 1), free, "tiny") is not None


def test_every_status_has_its_place() -> None:
    assert set(LEGAL) == set(Status)
    assert ADMITTED | FINAL | {Status.QUEUED} == set(Status)
