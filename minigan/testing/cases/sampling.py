"""Cases of `nn.functional.sampling` and its layers, pads of sequences, the Gaussian's likelihood."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError, ShapeError
from minigan.nn import functional as F
from minigan.ops.patches import Fold, Unfold
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import pairwise
from minigan.testing.strategies import (
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    seeds,
)

X = np.ones((1, 2, 3, 4))
GRID = np.zeros((1, 2, 2, 2))


@composite
def windows(draw: Any, back: bool) -> Sample:
    """A picture, or columns that fill one, and how the windows lie."""
    H, W, C = draw(integers(2, 4)), draw(integers(3, 4)), draw(integers(1, 2))
    how = {"kernel_size": (draw(integers(1, 2)), draw(integers(1, 3))), "dilation": draw(integers(1, 2)),
           "padding": (draw(integers(1, 2)), 1), "stride": draw(integers(1, 2))}  # fmt: skip
    if not back:
        return Sample((draw(arrays((2, C, H, W))),), how)
    count = len(starts((H, W), **how))
    return Sample((draw(arrays((2, C * math.prod(how["kernel_size"]), count))),),
                  {"output_size": (H, W), **how})  # fmt: skip


def starts(size: Any, *, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> list[tuple[int, int]]:
    """The first cell of every window that lies within the padded picture, row by row."""
    axes = []
    for n, k, q, p, s in zip(size, *map(pairwise, (kernel_size, dilation, padding, stride)), strict=True):
        axes.append([i for i in range(-p, n + p, s) if i + q * (k - 1) < n + p])
    return [(i, j) for i in axes[0] for j in axes[1]]


def columns(x: np.ndarray, **how: Any) -> np.ndarray:
    """Each window's cells, one by one."""
    (KH, KW), (QH, QW) = pairwise(how["kernel_size"]), pairwise(how["dilation"])
    first = starts(x.shape[2:], **how)
    out = np.zeros((x.shape[0], x.shape[1], KH, KW, len(first)))
    for number, (top, left) in enumerate(first):
        for k, m in np.ndindex(KH, KW):
            i, j = top + k * QH, left + m * QW
            if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
                out[:, :, k, m, number] = x[:, :, i, j]
    return out.reshape(x.shape[0], -1, len(first))


def summed(x: np.ndarray, output_size: Any, **how: Any) -> np.ndarray:
    """Which columns read each cell, by unfolding pictures of one cell."""
    cells = math.prod(pairwise(how["kernel_size"]))
    parts = x.reshape(x.shape[0], x.shape[1] // cells, cells, -1)
    out = np.zeros((*parts.shape[:2], *output_size))
    for i, j in np.ndindex(*output_size):
        one = np.zeros((1, 1, *output_size))
        one[..., i, j] = 1
        out[:, :, i, j] = (parts * columns(one, **how).reshape(cells, -1)).sum((2, 3))
    return out


@composite
def looked_at(draw: Any) -> Sample:
    """A picture and places between its cells and beyond its edge, where nothing has a kink."""
    H, W, corners = draw(integers(2, 3)), draw(integers(2, 4)), draw(booleans())
    rng = np.random.default_rng(draw(seeds()))
    places = []
    for n in (W, H):
        cell = rng.integers(-1, n, (2, 2, 2)) + rng.uniform(0.1, 0.9, (2, 2, 2))
        places.append(2 * cell / (n - 1) - 1 if corners else (2 * cell + 1) / n - 1)
    return Sample(
        (draw(arrays((2, draw(integers(1, 2)), H, W))), np.stack(places, -1)),
        {"padding_mode": draw(sampled_from(("zeros", "border"))), "align_corners": corners},
    )


def read(x: np.ndarray, grid: np.ndarray, padding_mode: str, align_corners: bool) -> np.ndarray:
    """The sum over all cells of each times max(0, 1 - distance) on both axes, of a picture made wider."""
    if padding_mode == "border":
        x = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)), "edge")
    beyond = 2 * (padding_mode == "border")
    out = np.zeros((*x.shape[:2], *grid.shape[1:3]))
    for n, i, j in np.ndindex(*grid.shape[:3]):
        shares = []
        for place, wide in zip(grid[n, i, j], x.shape[:1:-1], strict=True):
            size = wide - 2 * beyond
            at = (place + 1) / 2 * (size - 1) if align_corners else (place + 1) / 2 * size - 0.5
            shares.append([max(0.0, 1 - abs(at + beyond - cell)) for cell in range(wide)])
        out[n, :, i, j] = np.einsum("chw,h,w->c", x[n], shares[1], shares[0])
    return out


def placed(theta: np.ndarray, size: Any, align_corners: bool) -> np.ndarray:
    """Each place by the map, one by one."""
    N, _, H, W = size
    out = np.zeros((N, H, W, 2))
    for n, i, j in np.ndindex(N, H, W):
        at = [
            (-1 + 2 * k / (m - 1) if m > 1 else 0.0) if align_corners else (2 * k + 1) / m - 1
            for k, m in ((j, W), (i, H))
        ]
        out[n, i, j] = [sum(a * b for a, b in zip(row, (*at, 1.0), strict=True)) for row in theta[n]]
    return out


def inhibited(x: np.ndarray, size: int, alpha: float, beta: float, k: float) -> np.ndarray:
    """Channel by channel."""
    out = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        n, c, *rest = place
        around = [x[(n, i, *rest)] ** 2 for i in range(c - size // 2, c + (size - 1) // 2 + 1)
                  if 0 <= i < x.shape[1]]  # fmt: skip
        out[place] = x[place] / (k + alpha * sum(around) / size) ** beta
    return out


@composite
def normals(draw: Any) -> Sample:
    """Means, targets, and a variance each, a row, or as a last axis of 1."""
    var = draw(sampled_from(((2, 3), (2,), (2, 1))))
    how = {"full": draw(booleans()), "reduction": draw(sampled_from(("mean", "sum", "none")))}
    return Sample((draw(arrays((2, 3))), draw(arrays((2, 3))), draw(arrays(var, 0.3))), how)


def surprise(x: np.ndarray, t: np.ndarray, var: np.ndarray, full: bool, reduction: str) -> np.ndarray:
    """-log of the normal density, without its constant unless ``full``."""
    wide = np.broadcast_to(var.reshape(2, -1), (2, 3))
    loss = np.zeros((2, 3))
    for place in np.ndindex(2, 3):
        density = math.exp(-((x[place] - t[place]) ** 2) / (2 * wide[place])) / math.sqrt(wide[place])
        loss[place] = -math.log(density / (math.sqrt(2 * math.pi) if full else 1))
    return loss if reduction == "none" else np.asarray(loss.mean() if reduction == "mean" else loss.sum())


PADS = {"constant": nn.ConstantPad1d, "reflect": nn.ReflectionPad1d, "edge": nn.ReplicationPad1d,
        "wrap": nn.CircularPad1d, "zero": nn.ZeroPad1d}  # fmt: skip


@composite
def margins(draw: Any) -> Sample:
    """Sequences that are longer than their margins."""
    widths = (draw(integers(0, 2)), draw(integers(0, 2)))
    return Sample((draw(arrays((2, 1, 3))),), {"padding": widths, "kind": draw(sampled_from(tuple(PADS)))})


def widened(x: np.ndarray, padding: Any, kind: str) -> np.ndarray:
    """NumPy's own."""
    widths = ((0, 0), (0, 0), padding)
    if kind in ("zero", "constant"):
        return np.pad(x, widths, constant_values=0.5 * (kind == "constant"))
    mode: Any = kind
    return np.pad(x, widths, mode)


def same(name: str, strategy: Any, oracle: Any, *covers: Any, fn: Any = None, **also: Any) -> OpCase:
    """A function that PyTorch has too, and perhaps the layer that calls it."""
    return OpCase(
        f"F.{name}",
        fn or getattr(F, name),
        strategy,
        oracle,
        covers,
        torch=lambda torch, *x, **s: getattr(torch.nn.functional, name)(*x, **s),
        **also,
    )


CASES = [
    same("unfold", windows(False), columns, Unfold, nn.Unfold, fn=lambda x, **s: nn.Unfold(**s)(x),
         linear=True, bad=(
             BadInput("a window that does not fit", (X,), {"kernel_size": 5}, ShapeError, "no window"),
             BadInput("three numbers", (X,), {"kernel_size": (1, 1, 1)}, ArgumentError, "kernel_size"),
             BadInput("two axes", (X[0, 0],), {"kernel_size": 1}, ShapeError, "4 axes"))),
    same("fold", windows(True), summed, Fold, nn.Fold, fn=lambda x, **s: nn.Fold(**s)(x), linear=True, bad=(
             BadInput("another number of windows", (X[0],), {"output_size": 4, "kernel_size": 1}, ShapeError,
                      r"expected \(N, C \* 1, 16\)"),)),
    same("grid_sample", looked_at(), read, linear=(0,), bad=(
             BadInput("another mode", (X, GRID), {"mode": "bicubic"}, ArgumentError, "bilinear"),
             BadInput("another edge", (X, GRID), {"padding_mode": "reflection"}, ArgumentError, "border"),
             BadInput("a grid of triples", (X, np.zeros((1, 2, 2, 3))), {}, ShapeError, "OH, OW, 2"))),
    same("affine_grid", arrays((2, 2, 3)).flatmap(lambda theta: booleans().map(lambda corners: Sample(
             (theta,), {"size": (2, 1, 1 + corners, 3), "align_corners": corners}))), placed, linear=True,
         bad=(BadInput("a square matrix", (np.ones((1, 3, 3)),), {"size": (1, 1, 2, 2)}, ShapeError,
                       r"\(N, 2, 3\)"),)),
    same("local_response_norm", distinct_arrays((2, 4, 2)).flatmap(lambda x: integers(1, 4).map(
             lambda n: Sample((x,), {"size": n, "alpha": 0.7, "beta": 0.6, "k": 1.3}))), inhibited,
         nn.LocalResponseNorm, fn=lambda x, **s: nn.LocalResponseNorm(**s)(x),
         bad=(BadInput("two axes", (X[0, 0],), {"size": 2}, ShapeError, r"\(N, C, ...\)"),)),
    same("gaussian_nll_loss", normals(), surprise, nn.GaussianNLLLoss,
         fn=lambda x, t, var, **s: nn.GaussianNLLLoss(**s)(x, t, var), bad=(
             BadInput("a variance below 0", (X, X, -X), {}, ArgumentError, "var >= 0"),
             BadInput("a variance of another shape", (X, X, X[0, 0]), {}, ShapeError, "does not fit"))),
    OpCase("nn.ZeroPad1d",
           lambda x, padding, kind: PADS[kind](padding, *(0.5,) * (kind == "constant"))(x),
           margins(), widened, tuple(PADS.values()), linear=True,
           bad=(BadInput("three widths", (X[0],), {"padding": (1, 1, 1), "kind": "zero"}, ArgumentError,
                         "left, right"),)),
]  # fmt: skip
