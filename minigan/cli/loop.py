"""The loop of a training run: steps until the budget is used up, with pictures, a log and checkpoints."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minigan.cli import gradient_log
from minigan.cli.budget import Schedule
from minigan.cli.page import GAN_FIGURES, figures_of, write_page
from minigan.cli.progress import Progress
from minigan.cli.run_folder import RunFolder
from minigan.errors import NumericError

if TYPE_CHECKING:
    from minigan.gan import Config, Record, Trainer

GRID = 64  # pictures in a sample grid
EARLY = (25, 50, 100, 200, 400, 800)  # steps that get a picture of their own: much happens early
PICTURES = 20  # besides, so many over the whole run ...
PICTURE_GAP = 2.0  # ... unless the last was made less than so many seconds ago
CHECKPOINT_EVERY = 60.0  # seconds


class Interrupt:
    """Ctrl-C, in two goes: the first asks the loop to stop after the step, the second stops at once."""

    def __init__(self) -> None:
        self.asked = False

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Listen inside the block; what listened before listens again afterwards."""
        try:
            before = signal.signal(signal.SIGINT, self._hear)
        except ValueError:  # not the main thread: nobody can press Ctrl-C at us
            yield
            return
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _hear(self, _signal: int, _frame: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\nstopping after this step; Ctrl-C again stops at once", file=sys.stderr)


class Loop:
    """One call of ``minigan train``, from its first step to its last.

    Args:
        folder: where the run's files go; locked by the caller.
        trainer: fresh or restored.
        schedule: how long the whole run is, earlier calls included; learning rates and growth follow it.
        spent: seconds of training in earlier calls.
        log_every: steps between lines of metrics.jsonl; the first step has one of its own.
        save: writes a checkpoint, given the seconds spent in all.
    """

    def __init__(
        self,
        folder: RunFolder,
        trainer: Trainer,
        schedule: Schedule,
        *,
        spent: float,
        log_every: int,
        save: Callable[[float], None],
    ):
        self.folder, self.trainer, self.schedule = folder, trainer, schedule
        self.earlier, self.log_every, self._save = spent, log_every, save
        self.last_step = schedule.last_step
        self.minutes = schedule.budget.minutes
        self.begun = self.saved = self._pictured = time.monotonic()
        self.interrupt = Interrupt()
        self.figures = figures_of(trainer.config)
        self._shown: dict[str, float] = {}
        self._pictures_due = 0

    @property
    def spent(self) -> float:
        """Seconds of training in all."""
        return self.earlier + time.monotonic() - self.begun

    def forecast(self) -> str:
        """Say what is left of the run will cost and give, from steps of a trainer made for the purpose."""
        from minigan.gan.forecast import expectation, forecast

        loader, config = self.trainer.loader, self.trainer.config
        config = replace(config, batch=config.batch // self.trainer.team.size)
        try:
            cost = forecast(config, loader.images, loader.labels, since=self.progress())
        except NumericError as error:  # the run itself may fare better, or say it with all that belongs to it
            return f"forecast: none, because the probe diverged ({error})"
        seconds = None if self.minutes is None else 60 * self.minutes - self.earlier
        steps = None if self.last_step is None else self.last_step - self.trainer.step
        words = [cost.line(steps=steps, seconds=seconds, steps_per_epoch=len(loader))]
        if config.model != "vae" and (steps or seconds):
            more = steps if steps is not None else int((seconds or 0.0) / cost.seconds_per_step)
            words.append(expectation(self.trainer.step + more, self.trainer.config.batch))
        return "\n".join(words)

    def done(self) -> float:
        """Return the share of the run that is done, in [0, 1]."""
        return self.schedule.done(self.trainer.step, self.spent)

    def progress(self) -> float:
        """Return how far learning rates and growth are, in [0, 1]."""
        return self.schedule.progress(self.trainer.step, self.spent)

    def run(self) -> bool:
        """Train; return True at the end of the budget, False if interrupted before."""
        from minigan.gan.diagnosis import Diagnosis

        diagnosis = Diagnosis() if self.figures is GAN_FIGURES else None
        first = self.trainer.step
        seconds = None if self.minutes is None else 60 * self.minutes - self.earlier
        progress = Progress(first=first, steps=self.last_step, seconds=seconds)
        self._pictures_due = int(self.done() * PICTURES)
        self._take_picture()
        self.begun = time.monotonic()
        self.save()
        self.begun = time.monotonic()  # neither the forecast nor the first files are training
        with self.interrupt.caught():
            try:
                while self.done() < 1 and not self.interrupt.asked:
                    self.trainer.progress = self.trainer.team.from_first(self.progress())
                    record = self.trainer.train_step()
                    self._log(record)
                    if diagnosis and (finding := diagnosis.update(record)):
                        progress.say(f"step {record.step}: {finding.words}")
                    progress.update(record.step, self._shown)
                    self._perhaps_picture()
                    if time.monotonic() - self.saved >= CHECKPOINT_EVERY:
                        self.save()
                self.trainer.team.from_first(None)  # the end, for the others
                self._take_picture()
                self.save()
            except NumericError as error:
                error.all_know = True  # type: ignore[attr-defined]
                write_page(self.folder, seconds=self.spent, failure=str(error))
                raise
            finally:
                progress.close(self.trainer.step, self._shown)
        return self.done() >= 1

    def save(self) -> None:
        """Write a checkpoint of this moment, and the page of the run."""
        self._save(self.spent)
        write_page(self.folder, seconds=self.spent)
        self.saved = time.monotonic()

    def _log(self, record: Record) -> None:
        """Add a line to each log when one is due, and to what the bar shows a little of every step."""
        row = record.to_dict()
        del row["seconds"]  # the log of a run that was interrupted equals that of one that was not
        if record.step == 1 or record.step % self.log_every == 0:
            self.folder.append_metrics(row)
        if gradient_log.due(record.step):
            from minigan.gan.inside import gradient_lengths

            self.folder.gradients.append(record.step, gradient_lengths(self.trainer))
        for curves in self.figures.values():
            for shown, name in curves.items():
                self._shown[shown] = 0.95 * self._shown.get(shown, row[name]) + 0.05 * row[name]

    def _perhaps_picture(self) -> None:
        due = int(self.done() * PICTURES)
        rested = time.monotonic() - self._pictured >= PICTURE_GAP
        if self.trainer.step in EARLY or (due > self._pictures_due and rested):
            self._pictures_due = due
            self._take_picture()

    def _take_picture(self) -> None:
        """Write the grid of the fixed latents, unless this step has one already."""
        from minigan.viz import image_grid, save_png

        path = self.folder.picture(self.trainer.step)
        self._pictured = time.monotonic()
        if not path.exists():
            columns = columns_of(self.trainer.config)
            pictures = self.trainer.sample(self.trainer.fixed_latents(GRID // columns * columns))
            # No limit on its size: a grid that was made smaller would not fit into the film.
            save_png(path, image_grid(pictures, columns=columns), limit=None)


def columns_of(config: Config) -> int:
    """Return how many pictures a row of a grid has: one of each class, where there are classes."""
    return min(config.classes, GRID) or math.isqrt(GRID)


def write_summary(folder: RunFolder, config: Config, title: str) -> None:
    """Draw losses.png from the log and samples.gif from the grids."""
    from minigan.viz import save_curves, save_film
    from minigan.viz.curves import series

    if rows := folder.read_metrics():
        panels = {
            label: {shown: series(rows, name) for shown, name in curves.items()}
            for label, curves in figures_of(config).items()
        }
        save_curves(folder.curves, panels, title=title)
    if pictures := folder.pictures():
        save_film(folder.film, [_pixels(path) for path in pictures])


def _pixels(path: Path) -> np.ndarray:
    """Read a grid that was written here: uint8 (H, W, C)."""
    from minigan.data import load_image

    return np.rint(load_image(path) * 255).astype(np.uint8).transpose(1, 2, 0)
