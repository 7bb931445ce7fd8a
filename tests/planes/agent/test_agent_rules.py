"""The agent's decisions hold for every order in which messages may come."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.planes.agent import rules
from services.planes.agent.cleaning import Cached, to_evict
from services.planes.agent.rules import Kept, Step
from services.planes.protocol import Command, Outcome, Phase, RunReport, SamplePoint
from spawners.runtime import Isolation, RunKey, RunPhase, RunState
from tests.planes.agent.conftest import make_order

ORDER = make_order("0" * 40)
commands = st.builds(
    Command,
    workload_id=st.just("w"),
    generation=st.integers(1, 6),
    attempt=st.integers(1, 3),
    action=st.sampled_from(["run", "stop", "forget"]),
    order=st.sampled_from([None, ORDER]),
)
at = datetime(2026, 1, 1, tzinfo=UTC)
samples = st.lists(st.just(SamplePoint(at=at, cpu=1.0, memory=1)), max_size=3)
reports = st.builds(
    RunReport,
    workload_id=st.just("w"),
    generation=st.integers(1, 6),
    attempt=st.just(1),
    phase=st.sampled_from(list(Phase)),
    samples=samples,
)
kept_ones = st.builds(
    Kept,
    command=commands,
    final=st.one_of(
        st.none(), st.just(RunReport(workload_id="w", generation=1, attempt=1, phase="finished"))
    ),
)


def fold(given_commands: list[Command]) -> Kept:
    kept = None
    for command in given_commands:
        kept = rules.merge(kept, command)
    assert kept is not None
    return kept


@given(st.lists(commands, min_size=1), st.randoms(use_true_random=False))
def test_order_and_repeats_of_commands_change_nothing(
    given_commands: list[Command], random: st.DataObject
) -> None:
    other = [*given_commands, *given_commands]
    random.shuffle(other)  # type: ignore[attr-defined]
    left, right = fold(given_commands).command, fold(other).command
    assert rules.weight(left) == rules.weight(right)


@given(st.lists(commands, min_size=1))
def test_the_highest_generation_counts(given_commands: list[Command]) -> None:
    assert fold(given_commands).command.generation == max(c.generation for c in given_commands)


@given(kept_ones, commands)
def test_a_final_report_is_never_given_to_another_attempt(kept: Kept, command: Command) -> None:
    after = rules.merge(kept, command)
    if after.command.attempt != kept.command.attempt:
        assert after.final is None
    elif kept.final is not None:
        assert after.final is not None
        assert after.final.outcome == kept.final.outcome


@given(kept_ones, st.one_of(st.none(), st.sampled_from(list(RunPhase))))
def test_a_program_is_started_only_where_it_never_was(kept: Kept, phase: RunPhase | None) -> None:
    step = rules.next_step(kept, phase)
    if step is Step.PREPARE:
        assert phase is None
        assert kept.final is None
        assert kept.command.action == "run"
    if step is Step.REMOVE:
        assert phase not in (RunPhase.STARTING, RunPhase.RUNNING)
        assert kept.command.action == "forget"
    if kept.final is None and phase in (RunPhase.EXITED, RunPhase.LOST):
        assert step in (Step.FINISH, Step.REMOVE)


@given(st.lists(reports, min_size=1, max_size=8))
def test_joined_reports_go_no_step_back_and_lose_no_sample(given_reports: list[RunReport]) -> None:
    joined = given_reports[0]
    for report in given_reports[1:]:
        joined = rules.later(joined, report)
    assert joined.phase.rank == max(report.phase.rank for report in given_reports)
    assert len(joined.samples) == sum(len(report.samples) for report in given_reports)


@given(
    st.sampled_from(list(RunPhase)[2:]),
    st.one_of(st.none(), st.integers(-64, 255)),
    st.one_of(st.none(), st.sampled_from(list(rules.RunEnd))),
    st.one_of(st.none(), st.just("because")),
)
def test_every_end_but_success_has_a_reason(
    phase: RunPhase, code: int | None, end: rules.RunEnd | None, reason: str | None
) -> None:
    state = RunState(RunKey("w", 1), phase, Isolation.NONE, exit_code=code, end=end, reason=reason)
    verdict = rules.judge(state, ORDER)
    assert verdict.reason or verdict.outcome is Outcome.SUCCEEDED
    if verdict.outcome is Outcome.SUCCEEDED:
        assert (code, end, phase) == (0, None, RunPhase.EXITED)


@given(st.binary(max_size=20_000))
def test_last_lines_fit_a_report(data: bytes) -> None:
    text = rules.tail_lines(data)
    RunReport(workload_id="w", generation=1, attempt=1, phase="finished", last_lines=text)
    assert text.count("\n") < 20


@given(st.text(max_size=3000), st.lists(st.text(max_size=1000), max_size=4))
def test_reasons_fit_a_report(reason: str, notes: list[str]) -> None:
    assert len(rules.with_notes(reason, notes) or "") <= rules.REASON_MAX


@given(st.text(max_size=80))
def test_names_are_single_parts_of_a_path(text: str) -> None:
    if rules.is_name(text):
        assert "/" not in text
        assert not text.startswith(".")
        assert text.isascii()


cached = st.builds(
    lambda project, commit, size, used: Cached(None, project, commit, size, used),  # type: ignore[arg-type]
    st.sampled_from(["p", "q"]),
    st.sampled_from([None, "c", "d"]),
    st.integers(1, 100),
    st.floats(0, 10),
)


@given(st.lists(cached, max_size=8), st.integers(0, 400))
def test_eviction_spares_repositories_in_use_and_stops_when_it_fits(
    found: list[Cached], maximum: int
) -> None:
    gone = to_evict(found, maximum, {"p"})
    assert not any(one.project_id == "p" and one.commit is None for one in gone)
    total = sum(one.size for one in found)
    if gone:
        assert total - sum(one.size for one in gone[:-1]) > maximum


def test_sizes_are_told_for_people() -> None:
    sizes = [0, 1023, 512 << 20, 3 << 29, 20 << 30, 5 << 40]
    told = ["0 B", "1023 B", "512 MiB", "1.5 GiB", "20 GiB", "5 TiB"]
    assert [rules.size_text(size) for size in sizes] == told


def test_what_the_runtime_remarks_of_an_end_is_said() -> None:
    remark = "7 bytes of output could not be stored: the disk was full"
    for code, reason in ((0, remark), (3, f"exit code 3; {remark}")):
        state = RunState(
            RunKey("w", 1), RunPhase.EXITED, Isolation.FULL, exit_code=code, reason=remark
        )
        assert rules.judge(state, None).reason == reason
