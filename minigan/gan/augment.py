"""DiffAugment: show D changed pictures, real and generated alike, and let G learn through the change.

For small data sets: D cannot learn a few pictures by heart when it never sees the same one twice, and
because every change is differentiable, G's gradient comes through it.  Zhao et al., arXiv 2006.10738.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan import backend, ops
from minigan.errors import ArgumentError
from minigan.tensor import Tensor


def brightness(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Add one number from U[-0.5, 0.5) to each picture."""
    return x + _like(x, rng.uniform(-0.5, 0.5, (len(x), 1, 1, 1)))


def contrast(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Scale each picture's distance from its mean by a number from U[0.5, 1.5)."""
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    return (x - mean) * _like(x, rng.uniform(0.5, 1.5, (len(x), 1, 1, 1))) + mean


def translation(x: Tensor, rng: np.random.Generator, *, share: float = 0.125) -> Tensor:
    """Shift each picture by up to ``share`` of its size; what is shifted in is 0 (mid-grey)."""
    N, _, H, W = x.shape
    most_down, most_right = round(H * share), round(W * share)
    down = rng.integers(-most_down, most_down, N, endpoint=True)
    right = rng.integers(-most_right, most_right, N, endpoint=True)
    padded = ops.pad(x, (most_right, most_right, most_down, most_down))
    rows = (np.arange(H) + most_down - down[:, None])[:, :, None]  # (N, H, 1)
    columns = (np.arange(W) + most_right - right[:, None])[:, None, :]  # (N, 1, W)
    sample = np.arange(N)[:, None, None]
    xp = backend.namespace(x.array)
    # Advanced indices around a slice put the channels last; permute brings them back.
    picked = padded[xp.asarray(sample), :, xp.asarray(rows), xp.asarray(columns)]  # (N, H, W, C)
    return picked.permute(0, 3, 1, 2)


def cutout(x: Tensor, rng: np.random.Generator, *, share: float = 0.5) -> Tensor:
    """Blank a square of ``share`` of the side at a random place (it may stick out) with 0."""
    N, _, H, W = x.shape
    top = rng.integers(0, H, N, endpoint=True) - round(H * share / 2)
    left = rng.integers(0, W, N, endpoint=True) - round(W * share / 2)
    rows, columns = np.arange(H), np.arange(W)
    inside_rows = (rows >= top[:, None]) & (rows < top[:, None] + round(H * share))  # (N, H)
    inside_columns = (columns >= left[:, None]) & (columns < left[:, None] + round(W * share))
    kept = ~(inside_rows[:, :, None] & inside_columns[:, None, :])
    return ops.where(backend.to_device(kept[:, None], x.device), x, 0.0)


def flip(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirror each picture left to right with probability one half (not for digits)."""
    mirrored = rng.integers(0, 2, (len(x), 1, 1, 1)) == 1
    return ops.where(backend.to_device(mirrored, x.device), ops.flip(x, 3), x)


POLICIES: dict[str, Callable[..., Tensor]] = {
    step.__name__: step for step in (brightness, contrast, translation, cutout, flip)
}


def apply(x: Tensor, policy: str, rng: np.random.Generator) -> Tensor:
    """Change pictures (N, C, H, W) by each step of a policy such as "brightness,translation,cutout".

    Every picture gets its own draw, from ``rng``.  Raises ArgumentError for an unknown step.
    """
    for name in check(policy):
        x = POLICIES[name](x, rng)
    return x


def check(policy: str) -> list[str]:
    """Return the steps of a policy; ArgumentError for an unknown one."""
    names = [name.strip() for name in policy.split(",") if name.strip()]
    if unknown := [name for name in names if name not in POLICIES]:
        raise ArgumentError(f"augment: unknown {', '.join(unknown)}; expected some of {', '.join(POLICIES)}")
    return names


def _like(x: Tensor, values: np.ndarray) -> Tensor:
    """A constant of x's dtype, on x's device."""
    return Tensor(backend.to_device(np.asarray(values).astype(x.dtype), x.device))
