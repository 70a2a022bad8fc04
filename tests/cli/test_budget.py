"""How long a run is, and the schedule that never runs back, however often the length is changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan.cli.budget import Budget, Schedule, Start, continued
from minigan.errors import ArgumentError

SECONDS = 0.25  # that a step takes


def test_budgets():
    assert Budget(steps=7).last_step(5) == 7
    assert Budget(epochs=3).last_step(5) == 15
    assert Budget(minutes=1).last_step(5) is None


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"steps": "9"}, {"steps": True}, {"epochs": 1.5}, {"minutes": -1}, {"minutes": [1]},
     {"minutes": float("nan")}, {"minutes": float("inf")}],
)  # fmt: skip
def test_what_is_no_length(wrong):
    with pytest.raises(ArgumentError, match=f"{next(iter(wrong))}: expected a number above 0"):
        Budget(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"step": -1}, {"progress": 1.1}, {"seconds": "3"}, {"progress": float("nan")}]
)
def test_what_is_no_start(wrong):
    with pytest.raises(ArgumentError, match=f"{next(iter(wrong))}: expected a number from 0 to"):
        Start(**wrong)


def test_a_run_of_one_length_goes_in_a_straight_line():
    for budget in (Budget(steps=12), Budget(epochs=3)):
        schedule = Schedule(budget, 4)
        assert [schedule.progress(step, 0.0) for step in range(13)] == [step / 12 for step in range(13)]
        assert schedule.done(3, 99.0) == 0.25 and schedule.done(99, 0.0) == 1
    clock = Schedule(Budget(minutes=2), 4)
    assert clock.progress(0, 30.0) == clock.done(0, 30.0) == 0.25 and clock.progress(5, 121.0) == 1


@pytest.mark.parametrize("more", [Budget(steps=31), Budget(epochs=900), Budget(minutes=7)])
def test_a_finished_run_stays_at_its_end(more):
    schedule = Schedule(Budget(steps=30), 4).extended(more, step=30, seconds=9.0)
    assert {schedule.progress(step, seconds) for step in (30, 31, 1000) for seconds in (9.0, 300.0)} == {1.0}
    assert schedule.done(30, 9.0) < 1
    again = schedule.extended(Budget(steps=5000), step=31, seconds=9.5)
    assert again.progress(31, 9.5) == again.progress(4000, 99.0) == 1


def test_an_unfinished_run_goes_on_from_where_it_is_to_the_new_end():
    schedule = Schedule(Budget(steps=40), 4).extended(Budget(steps=120), step=20, seconds=5.0)
    assert [schedule.progress(step, 0.0) for step in (20, 70, 120)] == [0.5, 0.75, 1.0]
    shorter = schedule.extended(Budget(steps=80), step=70, seconds=6.0)
    assert [shorter.progress(step, 0.0) for step in (70, 75, 80)] == [0.75, 0.875, 1.0]


def test_the_same_end_in_other_words_changes_nothing():
    schedule = Schedule(Budget(epochs=5), 4, Start(3, 1.0, 0.5))
    assert schedule.extended(Budget(steps=20), step=7, seconds=2.0).start == Start(3, 1.0, 0.5)
    clock = Schedule(Budget(minutes=3), 4)
    assert clock.extended(Budget(minutes=3), step=7, seconds=20.0) == clock


def test_what_the_last_step_reached_counts_too():
    schedule = Schedule(Budget(steps=100), 4).extended(Budget(steps=200), step=10, seconds=1.0, reached=0.6)
    assert schedule.progress(10, 0.0) == 0.6


lengths = st.one_of(
    st.builds(Budget, steps=st.integers(1, 400)),
    st.builds(Budget, epochs=st.integers(1, 60)),
    st.builds(Budget, minutes=st.floats(0.01, 5)),
)


@given(st.lists(st.tuples(lengths, st.integers(1, 80)), min_size=1, max_size=6))
def test_however_often_a_run_gets_another_length_its_schedule_never_runs_back(parts):
    schedule, step, last = Schedule(parts[0][0], 7), 0, 0.0
    for budget, steps in parts:
        if (budget.last_step(7) or step + 1) <= step:
            continue  # refused: the run is longer already
        schedule = schedule.extended(budget, step=step, seconds=step * SECONDS, reached=last)
        for _ in range(steps):
            if schedule.done(step, step * SECONDS) == 1:
                assert schedule.progress(step, step * SECONDS) == pytest.approx(1)
                break
            now = schedule.progress(step, step * SECONDS)
            assert last - 1e-12 <= now <= 1
            step, last = step + 1, now


def test_minutes_come_on_top_steps_and_epochs_are_totals():
    nothing = {"minutes": None, "epochs": None, "steps": None}
    assert continued(Budget(steps=9), 90.0, **{**nothing, "minutes": 2}) == Budget(minutes=3.5)
    assert continued(Budget(minutes=1), 90.0, **{**nothing, "steps": 12}) == Budget(steps=12)
    assert continued(Budget(epochs=4), 90.0, **nothing) == Budget(epochs=4)
    with pytest.raises(ArgumentError, match="give --minutes"):
        continued(Budget(minutes=1.5), 90.0, **nothing)
