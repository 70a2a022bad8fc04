"""What will a run cost?  Seconds and memory, from a few steps of a trainer that is thrown away.

    forecast(config, images).line(steps=2000, steps_per_epoch=156)

The probe builds its own networks and draws its own random numbers, so the run that follows is bit for bit the
one it would have been.
"""

from __future__ import annotations

import contextlib
import math
import tracemalloc
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from minigan import backend
from minigan.gan import models
from minigan.gan.config import Config
from minigan.gan.trainer import Trainer

GROWTH = (0.125, 0.375, 0.625, 0.875)  # moments at which networks that grow are measured
PATIENCE = 2.0  # seconds: where one step takes longer, it is not measured twice


@dataclass(frozen=True)
class Forecast:
    """The cost of a step, and of any number of them."""

    seconds_per_step: float  # the mean over a cycle of lazy penalties, and over the growth of the networks
    memory: int  # bytes of arrays at the fullest moment: data, both networks, a step's graph
    stages: tuple[float, ...] = ()  # seconds a step at moments of GROWTH, for networks that grow

    def line(
        self, *, steps: int | None = None, seconds: float | None = None, steps_per_epoch: int | None = None
    ) -> str:
        """Say it in one line: how long ``steps`` take, or how many steps fit into ``seconds``."""
        words = [f"{self.seconds_per_step:.3g} s a step"]
        if self.stages:
            words[-1] += f" (from {self.stages[0]:.2g} s when small to {self.stages[-1]:.2g} s at full size)"
        if steps is not None:
            words.append(f"{steps:,} steps take about {_clock(steps * self.seconds_per_step)}")
        elif seconds is not None:
            steps = int(seconds / self.seconds_per_step)
            words.append(f"about {steps:,} steps in {_clock(seconds)}")
        if steps is not None and steps_per_epoch:
            words[-1] += f" ({steps / steps_per_epoch:.3g} epochs)"
        words.append(f"{self.memory / 1e6:,.0f} MB of arrays")
        free = backend.free_memory()
        if free is not None and self.memory > free:
            words[-1] += f", MORE than the {free / 1e6:,.0f} MB that are free: try a smaller --batch"
        return "forecast: " + "; ".join(words)


# D has seen so many pictures -> what G's then look like, on simple sets; varied ones take longer.
EXPECTED = (
    (20_000, "colours and blobs"),
    (100_000, "rough shapes"),
    (400_000, "shapes that can be named, many of them malformed"),
    (math.inf, "most pictures of a simple set, such as digits, right"),
)


def expectation(steps: int, batch: int) -> str:
    """Say in one line what so many steps with ``batch`` pictures each should give.

    What counts is how many pictures D has seen.  The limits are read off the sheets of glyphs, digits and
    small pictures that the benchmarks make.
    """
    seen = steps * batch
    words = next(words for most, words in EXPECTED if seen < most)
    more = (
        "; a varied set, such as faces or emoji, takes several times as many"
        if seen >= EXPECTED[1][0]
        else ""
    )
    return f"expect: after {seen:,} pictures shown, {words}{more}"


def forecast(
    config: Config, images: np.ndarray, labels: np.ndarray | None = None, *, since: float = 0.0
) -> Forecast:
    """Measure a run with these options on images float32 (N, C, H, W) in [-1, 1], labels (N,) or None.

    ``since`` is the progress the run has made, 0 to 1: from there on its networks grow.  Takes the time of
    four steps or so (more for networks that grow), and the memory that it forecasts.
    Raises what `Trainer.create` raises.
    """
    some = slice(config.batch)
    with _Peak() as peak:
        trainer = Trainer.create(config, images[some], None if labels is None else labels[some])
        trainer.progress = 1.0  # a network that grows is largest at the end
        trainer.train_step()
    grows = models.grows(trainer.discriminator)
    seconds: list[float] = []
    for share in GROWTH if grows else (0.0, 0.0):
        trainer.progress = since + (1 - since) * share
        seconds.append(_mean_step(trainer))
        if not grows and seconds[0] > PATIENCE:
            break
    stages = tuple(seconds) if grows else ()
    return Forecast(sum(seconds) / len(seconds), peak.bytes + images.nbytes, stages)


def _mean_step(trainer: Trainer) -> float:
    """Return seconds a step: one of every ``penalty_every`` has the penalties."""
    every, found = trainer.config.penalty_every, []
    for trainer.step in (0, 1) if every > 1 else (0,):
        begun = perf_counter()
        trainer.train_step()
        found.append(perf_counter() - begun)
    return found[0] / every + found[-1] * (every - 1) / every


class _Peak(contextlib.ContextDecorator):
    """Count the bytes of arrays that the block holds at its fullest moment."""

    bytes = 0

    def __enter__(self) -> _Peak:
        self.device = backend.current()
        self.tracing = tracemalloc.is_tracing()  # somebody else's: leave it on
        if self.device.name == "cupy":
            self.before = self._pool()
        else:
            tracemalloc.start()
            tracemalloc.reset_peak()
            self.before = tracemalloc.get_traced_memory()[0]
        return self

    def __exit__(self, *_: object) -> None:
        if self.device.name == "cupy":
            self.bytes = self._pool() - self.before
            return
        self.bytes = tracemalloc.get_traced_memory()[1] - self.before
        if not self.tracing:
            tracemalloc.stop()

    def _pool(self) -> int:
        """Return the bytes that CuPy has taken from the GPU; it gives none back by itself."""
        return int(self.device.xp.get_default_memory_pool().total_bytes())


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
