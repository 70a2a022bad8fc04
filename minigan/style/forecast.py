"""How long it will take and how much memory, said before starting.

Time is measured (one evaluation on a small picture) and scaled by the number of pixels, which every pass is
proportional to. Memory is counted: the arrays that the backward pass keeps, the optimiser's, and working
space.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError
from minigan.style.features import Extractor
from minigan.style.objective import Objective, Value
from minigan.style.settings import Settings

PROBE = 96  # pixels of the longer side of the picture that is timed
ASSUMED_FREE = 4 << 30  # bytes, where the system does not say


@dataclass(frozen=True)
class Forecast:
    """What a painting will cost: ``seconds`` in all, ``memory`` bytes at the peak, of ``free`` bytes.

    Memory is what comes on top of what the process holds already.
    """

    seconds: float
    memory: int
    free: int
    fits: int  # the largest size (pixels of the longer side) whose memory is free

    def __str__(self) -> str:
        return (
            f"about {self.seconds:.0f} s and {self.memory / 1e6:.0f} MB "
            f"(free: {self.free / 1e6:.0f} MB, enough for {self.fits} pixels)"
        )


def predict(
    function: Callable[[np.ndarray], Value],
    objective: Objective,
    settings: Settings,
    height: int,
    width: int,
    least: int = 16,
) -> Forecast:
    """Forecast a painting of height x width from a loss, and the whole picture's, built for `probe_size`."""
    picture = np.full((1, 3, *probe_size(height, width, least)), 0.5, np.float32)
    function(picture)  # the first call prepares the frozen weights
    start = time.perf_counter()
    function(picture)
    pixel = (time.perf_counter() - start) / picture[0, 0].size
    longer = max(height, width)
    pixels = sum(  # L-BFGS evaluates a little more than once per iteration
        (1.06 * settings.steps(size) + 2) * height * width * (size / longer) ** 2 for size in settings.sizes()
    )
    needed, free = count_memory(objective, settings, height, width), backend.free_memory() or ASSUMED_FREE
    return Forecast(
        seconds=pixel * pixels,
        memory=needed,
        free=free,
        fits=int(longer * (0.9 * free / needed) ** 0.5) // 8 * 8,
    )


def probe_size(height: int, width: int, least: int = 16) -> tuple[int, int]:
    """A small picture of about the same shape, both sides a multiple of 8 and at least ``least``."""
    scale, eights = min(PROBE / max(height, width), 1.0), max(-(-least // 8), 2)
    return max(round(height * scale / 8), eights) * 8, max(round(width * scale / 8), eights) * 8


def count_memory(objective: Objective, settings: Settings, height: int, width: int) -> int:
    """Bytes at the peak of one step: features kept for backward, their gradients, the optimiser's arrays."""
    optimiser = 3 * height * width * 8 * (2 * 10 + 8 if settings.optimizer == "lbfgs" else 6)
    if settings.tile:
        halo = 2 * 48
        height, width = min(height, settings.tile + halo), min(width, settings.tile + halo)
    sizes = objective.extractor.walk(height, width, objective.wanted) if objective.wanted else []
    arrays = [4 * channels * h * w for _, channels, h, w in sizes]
    padded = sum(
        4 * layer[2] * (h + 2 * layer[6]) * (w + 2 * layer[6])
        for layer, _, h, w in sizes
        if layer[0] == "conv" and layer[6] and objective.extractor.padding == "reflect"
    )
    target = sum(
        size for size, (layer, *_) in zip(arrays, sizes, strict=True) if layer[1] in objective.content_layers
    )
    # Each layer's result is kept, and what a convolution pads by reflection; while the widest layer is
    # differentiated, its gradient and the algorithm's working space are about three more of its size.
    return int(sum(arrays) + padded + target + 3 * max(arrays, default=0) + optimiser)


def check_style(extractor: Extractor, layers: Sequence[str], height: int, width: int, what: str) -> None:
    """Raise ArgumentError where a style of that size, looked at once, has no memory."""
    sizes = extractor.walk(height, width, layers)
    arrays = [4 * channels * h * w for _, channels, h, w in sizes]
    kept = sum(size for size, (layer, *_) in zip(arrays, sizes, strict=True) if layer[1] in layers)
    needed, free = 3 * max(arrays) + kept, backend.free_memory() or ASSUMED_FREE
    if needed > free:
        raise ArgumentError(
            f"{what} needs about {needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free; "
            "use a smaller --style-scale"
        )


def check(forecast: Forecast, size: int) -> None:
    """Raise ArgumentError, naming a size that fits, where the memory is not there."""
    if forecast.memory > forecast.free:
        raise ArgumentError(
            f"size {size} needs about {forecast.memory / 1e6:.0f} MB, "
            f"{forecast.free / 1e6:.0f} MB are free; use size {forecast.fits} or tile 256"
        )
