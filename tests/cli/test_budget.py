"""How long a run is, and the schedule that never runs back, however often the length is changed."""

import itertools
import json
import signal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import cli
from minigan.cli import loop, train
from minigan.cli.budget import Budget, Schedule, Start, continued
from minigan.errors import ArgumentError
from minigan.gan.trainer import Trainer
from minigan.gan.vae_trainer import VAETrainer

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


def arrays_of(folder):
    with np.load(folder / "checkpoint.npz") as file:
        return {name: file[name] for name in file.files if name != "manifest.json"}


class TestAnotherLength:
    """Learning rates never rise and networks never shrink, whatever lengths a run is given in turn."""

    WORDS = "--size 8 --limit 8 --batch 4 --log-every 1 --set base=2 --set lr_end=0.1 --set penalty_every=2"

    @pytest.fixture
    def course(self, monkeypatch):
        """Learning rate and growth of every step; a run is interrupted after those steps in `stops`."""
        seen: list = []
        self.stops = set()

        def watch(step):
            def watched(trainer):
                record = step(trainer)
                growth = getattr(trainer.generator, "growth", None)
                rates = [o.param_groups[0]["lr"] for o in (trainer.g_optimizer, trainer.d_optimizer)]
                seen.append((record.step, *rates, 0 if growth is None else int(growth.item())))
                if record.step in self.stops:
                    signal.raise_signal(signal.SIGINT)
                return record

            return watched

        for kind in (Trainer, VAETrainer):
            monkeypatch.setattr(kind, "train_step", watch(kind.train_step))
        monkeypatch.setattr(loop.Loop, "forecast", lambda self: "")
        monkeypatch.setattr(loop, "GRID", 4)
        monkeypatch.setattr(train, "write_summary", lambda *given: None)  # nobody looks at them here
        return seen

    def go(self, run, *words, recipe=""):
        first = [recipe, *self.WORDS.split()] if recipe else ["--resume"]
        return cli.main(["train", *first, "--out", str(run), *words])

    @pytest.mark.parametrize("recipe", ["progressive", "dense", "vae"])
    @pytest.mark.parametrize(
        "lengths, stops",
        [
            (["--steps 5", "--steps 11", "--steps 30"], []),  # finished, and again
            (["--epochs 3", "--steps 7", "--epochs 5"], []),
            (["--steps 4", "--minutes 0.001", "--minutes 0.001"], []),
            (["--minutes 5", "--steps 30"], [9]),  # the clock, then steps
            (["--steps 10", "--steps 40", "--steps 20"], [5, 12]),  # in its midst: longer, then shorter
        ],
    )
    def test_nothing_runs_back(self, course, tmp_path, recipe, lengths, stops):
        self.stops.update(stops)
        for number, words in enumerate(lengths):
            self.go(tmp_path / "run", *words.split(), recipe="" if number else recipe)
        assert len(course) > len(lengths)
        for before, after in itertools.pairwise(course):
            assert after[0] == before[0] + 1
            assert after[1] <= before[1] and after[2] <= before[2] and after[3] >= before[3]

    def test_a_finished_run_stays_where_it_ended_and_that_is_said_first(self, course, tmp_path, capsys):
        run = tmp_path / "run"
        assert self.go(run, "--steps", "6", recipe="progressive") == 0
        full = json.loads((run / "config.json").read_text())["settings"]["lr_g"]
        assert course[0][1] == full
        for total in ("9", "40"):
            capsys.readouterr()
            assert self.go(run, "--steps", total) == 0
            assert (
                "another length: the schedule is 100% through and does not run back; learning rates stay at "
                "10 % of their full value, what has grown stays grown"
            ) in capsys.readouterr().err
        assert {(rate, growth) for _, rate, _, growth in course[6:]} == {(full * 0.1, 10**9)}

    def test_an_interrupted_run_of_the_same_length_is_bit_equal(self, course, tmp_path, capsys):
        """So is one that was given more steps before: the moment of that is kept."""
        runs = [tmp_path / "whole", tmp_path / "parts"]
        for run, stops in zip(runs, ([4], [4, 7, 9]), strict=True):
            self.stops.clear()
            self.stops.update(stops)
            assert self.go(run, "--steps", "6", recipe="progressive") == 130
            self.go(run, "--steps", "12")
        assert "another length: the schedule is 67% through" in capsys.readouterr().err
        assert self.go(runs[1]) == 130 and self.go(runs[1], "--epochs", "6") == 0  # 2 steps an epoch
        assert "another length" not in capsys.readouterr().err
        assert (runs[0] / "metrics.jsonl").read_bytes() == (runs[1] / "metrics.jsonl").read_bytes()
        whole, parts = (arrays_of(run) for run in runs)
        assert all(whole[name].tobytes() == parts[name].tobytes() for name in whole)

    def test_runs_from_before_the_moment_was_kept_go_on(self, course, tmp_path):
        run = tmp_path / "run"
        assert self.go(run, "--steps", "6", recipe="progressive") == 0
        config = json.loads((run / "config.json").read_text())
        assert "start" not in config
        assert self.go(run, "--steps", "8") == 0
        assert [growth for *_, growth in course[6:]] == [10**9] * 2
