"""What `minigan sample` can do with style-based runs only: truncation in the space of styles, and mixing."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np

from minigan.errors import ArgumentError

BATCH = 100


def add_options(parser) -> None:
    """Add ``--psi`` and ``--mix``."""
    from minigan.cli import arguments as types

    parser.add_argument(
        "--psi", type=types.number(least=0, most=1),
        help="of a style-based run: pull the styles to their mean, 1 not at all, 0 wholly (try 0.7)",
    )  # fmt: skip
    parser.add_argument(
        "--mix", type=types.integer(least=1), metavar="LEVEL",
        help="of a style-based run: a table; the left column gives the coarse levels, the top row those from "
        "LEVEL on",
    )  # fmt: skip


def styled(sampler: Any, latents: np.ndarray, labels: np.ndarray | None, *, psi: float) -> np.ndarray:
    """Return the pictures (N, C, H, W) of latents whose styles are pulled to the mean style."""
    core, z = _open(sampler, latents, labels)
    return _draw(lambda part: core.synthesise(core.styles(part, truncation=psi)), z)


def mixed(
    sampler: Any, latents: np.ndarray, labels: np.ndarray | None, *, level: int, psi: float = 1.0
) -> tuple[np.ndarray, int]:
    """Return a table of pictures, row by row, and its number of columns.

    N latents serve for S = isqrt(N) pictures on the left and as many on top, so N >= 4.  The corner is
    empty; row i and column j hold the coarse levels of picture i and, from ``level`` on, those of picture j.
    """
    core, z = _open(sampler, latents, labels)
    if len(core.levels) < 2:
        raise ArgumentError(
            "--mix: the network has one level alone; its pictures are too small to mix styles"
        )
    if not 0 < level < len(core.levels):
        raise ArgumentError(f"--mix: expected a level from 1 to {len(core.levels) - 1}, got {level}")
    side = isqrt(len(z))
    if side < 2:
        raise ArgumentError(f"--mix: expected at least 4 pictures for a table, got -n {len(z)}")
    from minigan.modes import no_grad
    from minigan.tensor import Tensor

    with no_grad():
        w = core.styles(Tensor(z[: 2 * side]), truncation=psi)
    coarse, fine = w[:side], w[side:]
    left, top = _draw(core.synthesise, coarse.numpy()), _draw(core.synthesise, fine.numpy())
    rows = [-np.ones_like(top[:1]), top]
    for i in range(side):
        same = Tensor(np.repeat(coarse.numpy()[i : i + 1], side, axis=0))
        with no_grad():
            rows += [left[i : i + 1], core.synthesise(same, fine, level).numpy()]
    return np.concatenate(rows), side + 1


def _open(sampler: Any, latents: np.ndarray, labels: np.ndarray | None) -> tuple[Any, np.ndarray]:
    """Return the style-based network and its inputs, which for conditional runs end in the label."""
    from minigan.gan.models.style_based import Generator

    classes = sampler.config.classes
    core = sampler.generator.core if classes else sampler.generator
    if not isinstance(core, Generator):
        raise ArgumentError(
            f"--psi and --mix: expected a style-based run (minigan train style); this one is "
            f"of the model {sampler.config.model}"
        )
    if not classes:
        return core, latents
    labels = np.arange(len(latents)) % classes if labels is None else labels
    return core, np.concatenate([latents, np.eye(classes, dtype=latents.dtype)[labels]], axis=1)


def _draw(make: Any, inputs: np.ndarray) -> np.ndarray:
    from minigan.modes import no_grad
    from minigan.tensor import Tensor

    with no_grad():
        parts = [make(Tensor(inputs[k : k + BATCH])).numpy() for k in range(0, len(inputs), BATCH)]
    return np.concatenate(parts)
