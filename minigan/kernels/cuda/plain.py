"""The kernels in Python loops over flat memory, thread by thread: read this beside the ``.cu`` files.

Every function has its kernel's name, arguments and index arithmetic, with flat NumPy arrays for pointers; the
tests hold each kernel to it.  ``t`` is the number of a thread; on a GPU all of them run at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def first_tap(h_plus_P: int, K: int, S: int, D: int, step: int) -> int:
    """Return the first tap k with S | h + P - k D, or K if there is none: see head.cu."""
    return next((k for k in range(min(step, K)) if (h_plus_P - k * D) % S == 0), K)


def seen_at(cell: int, K: int, out: int, S: int, P: int, D: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield (window, tap) for every window along one axis that sees a cell."""
    for k in range(first_tap(cell + P, K, S, D, step), K, step):
        window = (cell + P - k * D) // S
        if 0 <= window < out:
            yield window, k


def im2col(columns: Any, x: Any, step_n: int, step_c: int, step_h: int, step_w: int, C: int, H: int, W: int,
           KH: int, KW: int, OW: int, SH: int, SW: int, PH: int, PW: int, DH: int, DW: int, i0: int,
           lines: int, rows: int) -> None:  # fmt: skip
    """One thread a number of the columns."""
    K = KH * KW * C
    for row in range(rows):
        top, left = (row // OW % lines + i0) * SH - PH, row % OW * SW - PW
        image = row // OW // lines * step_n
        for k in range(K):
            c, h, w = k % C, top + k // C // KW * DH, left + k // C % KW * DW
            inside = 0 <= h < H and 0 <= w < W
            columns[row * K + k] = x[image + c * step_c + h * step_h + w * step_w] if inside else 0


def col2im(gx: Any, columns: Any, C: int, H: int, W: int, KH: int, KW: int, OH: int, OW: int, SH: int,
           SW: int, PH: int, PW: int, DH: int, DW: int, step_h: int, step_w: int,
           count: int) -> None:  # fmt: skip
    """One thread a cell of gx."""
    for t in range(count):
        c, w, h, n = t % C, t // C % W, t // C // W % H, t // C // W // H
        gx[t] = sum(
            columns[((((n * OH + i) * OW + j) * KH + kh) * KW + kw) * C + c]
            for i, kh in seen_at(h, KH, OH, SH, PH, DH, step_h)
            for j, kw in seen_at(w, KW, OW, SW, PW, DW, step_w)
        )


class Place:
    """The arguments WINDOWS of windows.cu, and where a thread stands."""

    def __init__(self, sizes: Any):
        (self.B, self.H, self.W, self.OH, self.OW, self.KH, self.KW, self.SH, self.SW, self.PH, self.PW,
         self.DH, self.DW, self.step_h, self.step_w, self.count) = sizes  # fmt: skip

    def cells(self, t: int) -> Iterator[tuple[int, int]]:
        """Yield (number of the tap, place in x) for every cell of the window of thread t, row by row."""
        b, j, i = t % self.B, t // self.B % self.OW, t // self.B // self.OW % self.OH
        image = t // self.B // self.OW // self.OH * self.H
        for kh in range(self.KH):
            for kw in range(self.KW):
                h, w = i * self.SH + kh * self.DH - self.PH, j * self.SW + kw * self.DW - self.PW
                if 0 <= h < self.H and 0 <= w < self.W:
                    number = self.KH * self.KW - (kh * self.KW + kw)
                    yield number, ((image + h) * self.W + w) * self.B + b

    def windows(self, t: int) -> Iterator[tuple[int, int]]:
        """Yield (number of the tap, place in y) for every window that sees the cell of thread t."""
        b, w, h = t % self.B, t // self.B % self.W, t // self.B // self.W % self.H
        image = t // self.B // self.W // self.H * self.OH
        for i, kh in seen_at(h, self.KH, self.OH, self.SH, self.PH, self.DH, self.step_h):
            for j, kw in seen_at(w, self.KW, self.OW, self.SW, self.PW, self.DW, self.step_w):
                number = self.KH * self.KW - (kh * self.KW + kw)
                yield number, ((image + i) * self.OW + j) * self.B + b


def max_windows(y: Any, winner: Any, x: Any, *sizes: int) -> None:
    """One thread a window: the largest cell and the number of its tap."""
    place = Place(sizes)
    for t in range(place.count):
        best, y[t], winner[t] = None, -np.inf, 0
        for number, cell in place.cells(t):
            if best is None or x[cell] > best:
                best = y[t] = x[cell]
                winner[t] = number


def gather_max(y: Any, x: Any, winner: Any, *sizes: int) -> None:
    """One thread a window: the cell at the winner."""
    place = Place(sizes)
    for t in range(place.count):
        y[t] = sum(x[cell] for number, cell in place.cells(t) if number == winner[t])


def scatter_max(gx: Any, g: Any, winner: Any, *sizes: int) -> None:
    """One thread a cell: g of the windows it won."""
    place = Place(sizes)
    for t in range(place.count):
        gx[t] = sum(g[window] for number, window in place.windows(t) if number == winner[window])


def sum_windows(y: Any, x: Any, scale: float, *sizes: int) -> None:
    """One thread a window: scale times the sum of its cells."""
    place = Place(sizes)
    for t in range(place.count):
        y[t] = scale * sum(x[cell] for _, cell in place.cells(t))


def spread_windows(gx: Any, g: Any, scale: float, *sizes: int) -> None:
    """One thread a cell: scale times the sum over the windows that see it."""
    place = Place(sizes)
    for t in range(place.count):
        gx[t] = scale * sum(g[window] for _, window in place.windows(t))


def band(y: Any, x: Any, matrix: Any, starts: Any, stops: Any, n: int, m: int, B: int, count: int) -> None:
    """One thread a number of y."""
    for t in range(count):
        b, i, start = t % B, t // B % m, t // B // m * n
        y[t] = sum(matrix[i * n + k] * x[(start + k) * B + b] for k in range(starts[i], stops[i]))


def affine_leaky(y: Any, x: Any, scale: Any, shift: Any, slope: float, C: int, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        value = scale[t % C] * x[t] + shift[t % C]
        y[t] = value if value > 0 else 0 if slope == 0 and value < 0 else slope * value


def leaky_grad(gx: Any, g: Any, y: Any, slope: float, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        gx[t] = g[t] if y[t] > 0 else 0 if slope == 0 else slope * g[t]


def softplus(y: Any, x: Any, threshold: float, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        y[t] = x[t] if x[t] > threshold else max(x[t], 0) + np.log1p(np.exp(-abs(x[t])))


def softplus_grad(gx: Any, g: Any, x: Any, threshold: float, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        e = np.exp(-abs(x[t]))
        gx[t] = g[t] if x[t] > threshold else g[t] * ((e if x[t] < 0 else 1) / (1 + e))


def sigmoid(y: Any, x: Any, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        y[t] = 1 / (1 + np.exp(-x[t]))


def sigmoid_grad(gx: Any, g: Any, y: Any, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        gx[t] = g[t] * y[t] * (1 - y[t])


def tanh_grad(gx: Any, g: Any, y: Any, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        gx[t] = g[t] * (1 - y[t] * y[t])


def probability_loss(y: Any, x: Any, label: Any, one: int, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        l = label[0 if one else t]  # noqa: E741
        y[t] = -(l * max(np.log(x[t]), -100) + (1 - l) * max(np.log(1 - x[t]), -100))


def probability_loss_grad(gx: Any, g: Any, x: Any, label: Any, one: int, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        l = label[0 if one else t]  # noqa: E741
        gx[t] = g[t] * ((1 - l) / max(1 - x[t], 1e-12) - l / max(x[t], 1e-12))


def cross_entropy(y: Any, x: Any, label: Any, one: int, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        y[t] = max(x[t], 0) - label[0 if one else t] * x[t] + np.log1p(np.exp(-abs(x[t])))


def cross_entropy_grad(gx: Any, g: Any, x: Any, label: Any, one: int, count: int) -> None:
    """One thread an element."""
    for t in range(count):
        e = np.exp(-abs(x[t]))
        gx[t] = g[t] * ((e if x[t] < 0 else 1) / (1 + e) - label[0 if one else t])


def strip_sums(sums: Any, x: Any, rows: int, C: int, height: int, count: int) -> None:
    """One thread a column of a strip of rows."""
    for t in range(count):
        c, start = t % C, t // C * height
        sums[t] = sum(x[r * C + c] for r in range(start, min(start + height, rows)))


def leaked(g: float, y: float, leak: float) -> float:
    """Return the gradient before a leaky ReLU."""
    return g if y > 0 else 0 if leak == 0 else leak * g


def grad_sums(sums: Any, x: Any, g: Any, y: Any, center: Any, leak: float, rows: int, C: int, height: int,
              count: int) -> None:  # fmt: skip
    """One thread a column of a strip of rows."""
    g = [leaked(*both, leak) for both in zip(g, y, strict=True)]
    for t in range(count):
        c, s = t % C, t // C
        strip = range(s * height, min((s + 1) * height, rows))
        sums[2 * s * C + c] = sum(g[r * C + c] for r in strip)
        sums[(2 * s + 1) * C + c] = sum(g[r * C + c] * (x[r * C + c] - center[c]) for r in strip)


def strip_moments(moments: Any, x: Any, rows: int, C: int, height: int, count: int) -> None:
    """One thread a column of a strip of rows."""
    for t in range(count):
        c, s = t % C, t // C
        strip = range(s * height, min((s + 1) * height, rows))
        center = x[s * height * C + c]
        total = sum(x[r * C + c] - center for r in strip)
        mean = total / len(strip)
        square = sum((x[r * C + c] - center) ** 2 for r in strip) - total * mean
        moments[2 * s * C + c], moments[(2 * s + 1) * C + c] = center + mean, max(square, 0)


def merged(
    moments: Any, first: int, last: int, rows: int, height: int, C: int, c: int
) -> tuple[float, float]:
    """Return mean and squared deviations of strips together."""
    seen = mean = square = 0
    for s in range(first, last):
        more = min(height, rows - s * height)
        apart, all_ = moments[2 * s * C + c] - mean, seen + more
        mean += apart * (more / all_)
        square += moments[(2 * s + 1) * C + c] + apart * apart * (seen * (more / all_))
        seen = all_
    return mean, square


def merge_moments(moments: Any, strips: Any, rows: int, C: int, height: int, number: int, group: int,
                  count: int) -> None:  # fmt: skip
    """One thread a column of a group of strips."""
    for t in range(count):
        c, s = t % C, t // C
        found = merged(strips, s * group, min((s + 1) * group, number), rows, height, C, c)
        moments[2 * s * C + c], moments[(2 * s + 1) * C + c] = found


def norm_vectors(mean: Any, var: Any, rstd: Any, scale: Any, shift: Any, moments: Any, weight: Any, bias: Any,
                 eps: float, rows: int, height: int, number: int, C: int) -> None:  # fmt: skip
    """One thread a channel."""
    for c in range(C):
        mean[c], square = merged(moments, 0, number, rows, height, C, c)
        var[c] = square / rows
        rstd[c] = 1 / np.sqrt(var[c] + eps)
        scale[c] = weight[c] * rstd[c]
        shift[c] = bias[c] - mean[c] * scale[c]


def norm_slopes(gbias: Any, gweight: Any, factor: Any, slope: Any, shift: Any, sums: Any, mean: Any,
                rstd: Any, weight: Any, share: float, number: int, C: int) -> None:  # fmt: skip
    """One thread a channel."""
    for c in range(C):
        gbias[c] = sum(sums[2 * s * C + c] for s in range(number))
        gweight[c] = sum(sums[(2 * s + 1) * C + c] for s in range(number)) * rstd[c]
        factor[c] = weight[c] * rstd[c]
        slope[c] = factor[c] * rstd[c] * gweight[c] * share
        shift[c] = factor[c] * gbias[c] * share - slope[c] * mean[c]


def norm_grad(gx: Any, x: Any, g: Any, y: Any, factor: Any, slope: Any, shift: Any, leak: float, C: int,
              count: int) -> None:  # fmt: skip
    """One thread an element."""
    for t in range(count):
        gx[t] = factor[t % C] * leaked(g[t], y[t], leak) - (slope[t % C] * x[t] + shift[t % C])


def running_moments(mean: Any, var: Any, batch_mean: Any, batch_var: Any, momentum: float, unbiased: float,
                    C: int) -> None:  # fmt: skip
    """One thread a channel."""
    for c in range(C):
        mean[c] += momentum * (batch_mean[c] - mean[c])
        var[c] += momentum * (unbiased * batch_var[c] - var[c])


def _places(arguments: Any, width: int) -> Iterator[tuple[Any, int]]:
    """Yield (arrays, size) of each of the eight places."""
    for k in range(8):
        *arrays, size = arguments[k * (width + 1) : (k + 1) * (width + 1)]
        yield arrays, size


def adam(*arguments: Any) -> None:
    """One thread an element of eight parameters: (p, m, v, g, size) eight times, then the numbers."""
    shrink, decay, beta1, rest1, beta2, rest2, eps, rate = arguments[40:]
    for (p, m, v, g), size in _places(arguments, 4):
        for t in range(size):
            value = p[t] * shrink
            slope = g[t] + decay * value
            m[t] = beta1 * m[t] + rest1 * slope
            v[t] = beta2 * v[t] + rest2 * slope * slope
            p[t] = value - rate * m[t] / (np.sqrt(v[t]) + eps)


def follow(*arguments: Any) -> None:
    """One thread an element of eight averages: (average, value, size) eight times, then the rate."""
    for (average, value), size in _places(arguments, 2):
        for t in range(size):
            average[t] += arguments[24] * (value[t] - average[t])
