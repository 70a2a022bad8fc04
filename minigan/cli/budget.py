"""How long a run is, and how far through its schedule: what decides learning rates and growth.

A run may be given another length at any time.  Its schedule then goes, in a straight line, from where it
stands to its end at the new end of the run: it never runs back.  A run that was finished stays at the end of
its schedule, with the last learning rates and all that has grown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from minigan.errors import ArgumentError, shown


@dataclass(frozen=True)
class Budget:
    """How long a run goes on: one of the three is given.  Raises ArgumentError for what is no length."""

    minutes: float | None = None
    epochs: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            kinds = (int, float) if name == "minutes" else int
            if value is not None and not (
                isinstance(value, kinds) and not isinstance(value, bool) and 0 < value < math.inf
            ):
                raise ArgumentError(f"{name}: expected a number above 0, got {shown(value)}")

    def last_step(self, steps_per_epoch: int) -> int | None:
        """Return the step the run ends at, None where the clock decides."""
        if self.steps is not None:
            return self.steps
        return None if self.epochs is None else self.epochs * steps_per_epoch


@dataclass(frozen=True)
class Start:
    """The moment at which a run got the length it has, and the progress it had made by then, 0 to 1."""

    step: int = 0
    seconds: float = 0.0
    progress: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("step", math.inf), ("seconds", math.inf), ("progress", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise ArgumentError(f"{name}: expected a number from 0 to {most}, got {shown(value)}")


BEGINNING = Start()


@dataclass(frozen=True)
class Schedule:
    """A budget and when it was given, for a run with so many steps in an epoch."""

    budget: Budget
    steps_per_epoch: int
    start: Start = BEGINNING

    @property
    def last_step(self) -> int | None:
        """The step the run ends at, None where the clock decides."""
        return self.budget.last_step(self.steps_per_epoch)

    def done(self, step: int, seconds: float) -> float:
        """Return the share of the run's length that is used up, in [0, 1]."""
        return self._share(step, seconds, BEGINNING)

    def progress(self, step: int, seconds: float) -> float:
        """Return how far learning rates and growth are: p + (1 - p) (t - s) / (T - s), in [0, 1].

        T is the end of the run, s and p the moment and the progress at `start`; t / T where that is the
        beginning.
        """
        p = self.start.progress
        return p + (1 - p) * self._share(step, seconds, self.start)

    def _share(self, step: int, seconds: float, since: Start) -> float:
        if self.last_step is not None:
            now, first, last = float(step), float(since.step), float(self.last_step)
        else:
            assert self.budget.minutes is not None
            now, first, last = seconds, since.seconds, 60 * self.budget.minutes
        return min(max((now - first) / (last - first), 0.0), 1.0) if first < last else 1.0

    def same_end(self, budget: Budget) -> bool:
        """Say whether the run ends at the same moment with another budget."""
        mine, other = self.last_step, budget.last_step(self.steps_per_epoch)
        return mine == other and (mine is not None or self.budget == budget)

    def extended(self, budget: Budget, *, step: int, seconds: float, reached: float = 0.0) -> Schedule:
        """Return the schedule of the run with another budget, given now; itself if that changes nothing.

        ``reached`` is the progress of the last step, which is not undone either.
        """
        if self.same_end(budget):
            return Schedule(budget, self.steps_per_epoch, self.start)
        progress = max(self.progress(step, seconds), min(reached, 1.0))
        return Schedule(budget, self.steps_per_epoch, Start(step, seconds, progress))


def continued(
    budget: Budget, seconds: float, *, minutes: float | None, epochs: int | None, steps: int | None
) -> Budget:
    """Return the length of the whole run: minutes given now come on top, steps and epochs are totals.

    Raises ArgumentError where nothing is given and the minutes are used up.
    """
    if minutes is not None:
        return Budget(minutes=seconds / 60 + minutes)
    if steps is not None or epochs is not None:
        return Budget(epochs=epochs, steps=steps)
    if budget.minutes is not None and seconds >= 60 * budget.minutes:
        raise ArgumentError(
            f"--resume: the {budget.minutes:g} minutes of the run are used up: give --minutes M for more"
        )
    return budget
