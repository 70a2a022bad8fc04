"""What the CUDA kernels stand in for: activations, pooling, normalisation, resampling, Adam."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.kernels import gpu
from minigan.kernels.cuda import bands, chains, many, norms, windows
from minigan.kernels.registry import kernel
from minigan.ops.activation import LeakyRelu, Relu, Sigmoid, Softplus, Tanh
from minigan.ops.broadcast import Sum, SumTo
from minigan.ops.linalg import AlongAxis
from minigan.ops.loss import BinaryCrossEntropy, BinaryCrossEntropyWithLogits
from minigan.ops.norm import BatchNorm, BatchNormLeakyRelu
from minigan.ops.pool import GatherMax, MaxPool2d, ScatterMax, SpreadWindows, SumWindows
from minigan.optim.ema import EMA
from minigan.optim.rules import Adam, AdamW
from minigan.tensor import Op, Tensor


@kernel(LeakyRelu, "cuda")
def leaky_relu(op: LeakyRelu, x: Array) -> Array:
    """y = y'(x) x."""
    return chains.leaky_grad(x, x, op.slope) if op.slope else gpu.elementwise_kernel(op, x)


@kernel(LeakyRelu, "cuda", does="derivative")
def leaky_relu_derivative(op: LeakyRelu, g: Array) -> Array:
    """g or slope * g."""
    x = op.output if op.keeps_output else op.input(0)
    return chains.leaky_grad(g, x.array, op.slope)


@kernel(Relu, "cuda", does="derivative")
def relu_derivative(op: Relu, g: Array) -> Array:
    """g or 0."""
    return chains.leaky_grad(g, op.output.array, 0.0)


@kernel(Softplus, "cuda")
def softplus(op: Softplus, x: Array) -> Any:
    """One pass."""
    return chains.softplus(x, op.threshold) if op.beta == 1 else NotImplemented


@kernel(Softplus, "cuda", does="derivative")
def softplus_derivative(op: Softplus, g: Array) -> Any:
    """g sigmoid(x), in one pass."""
    return chains.softplus_grad(g, op.input(0).array, op.threshold) if op.beta == 1 else NotImplemented


@kernel(Sigmoid, "cuda")
def sigmoid(op: Sigmoid, x: Array) -> Array:
    """One pass."""
    return chains.sigmoid(x)


@kernel(Sigmoid, "cuda", does="derivative")
def sigmoid_derivative(op: Sigmoid, g: Array) -> Array:
    """One pass."""
    return chains.sigmoid_grad(g, op.output.array)


@kernel(Tanh, "cuda", does="derivative")
def tanh_derivative(op: Tanh, g: Array) -> Array:
    """One pass."""
    return chains.tanh_grad(g, op.output.array)


LOSSES = {BinaryCrossEntropyWithLogits: "cross_entropy", BinaryCrossEntropy: "probability_loss"}


@kernel(BinaryCrossEntropy, "cuda")
@kernel(BinaryCrossEntropyWithLogits, "cuda")
def cross_entropy(op: Op, x: Array, label: Array) -> Any:
    """One pass."""
    return chains.cross_entropy(x, label, LOSSES[type(op)]) if _pair(x, label) else NotImplemented


@kernel(BinaryCrossEntropy, "cuda", does="derivative")
@kernel(BinaryCrossEntropyWithLogits, "cuda", does="derivative")
def cross_entropy_derivative(op: Op, g: Array) -> Any:
    """One pass, where no gradient of the labels is wanted."""
    x, label = op.input(0).array, op.input(1).array
    if op.needs(1) or not _pair(x, label):
        return NotImplemented
    g = backend.namespace(g).ascontiguousarray(g)
    return chains.cross_entropy_grad(g, x, label, f"{LOSSES[type(op)]}_grad"), None


def _pair(x: Array, label: Array) -> bool:
    return label.shape in ((), x.shape) and x.ndim > 0 and x.flags.c_contiguous and label.flags.c_contiguous


@kernel(MaxPool2d, "cuda")
def max_pool(op: MaxPool2d, x: Array) -> Array:
    """One thread a window."""
    best, op.saved = windows.max_windows(x, op.axes)
    return best


@kernel(ScatterMax, "cuda")
def scatter_max(op: ScatterMax, g: Array) -> Any:
    """One thread a cell, which looks for the windows that it won."""
    return windows.scatter_max(g, _int32(op.winner), op.axes)


@kernel(GatherMax, "cuda")
def gather_max(op: GatherMax, x: Array) -> Any:
    """One thread a window."""
    return windows.gather_max(x, _int32(op.winner), op.axes)


def _int32(winner: Array) -> Array:
    return winner if winner.dtype == np.int32 else winner.astype(np.int32)


@kernel(SumWindows, "cuda")
def sum_windows(op: SumWindows, x: Array) -> Any:
    """One thread a window."""
    return NotImplemented if isinstance(op.scale, np.ndarray) else windows.sum_windows(x, op.axes, op.scale)


@kernel(SpreadWindows, "cuda")
def spread_windows(op: SpreadWindows, g: Array) -> Any:
    """One thread a cell."""
    return (
        NotImplemented if isinstance(op.scale, np.ndarray) else windows.spread_windows(g, op.axes, op.scale)
    )


@kernel(AlongAxis, "cuda")
def along_axis(op: AlongAxis, x: Array) -> Array:
    """One thread a result, which reads the band of its row."""
    order = backend.memory_order(x)
    place, sizes = order.index(op.axis), [x.shape[axis] for axis in order]
    packed = backend.namespace(x).ascontiguousarray(x.transpose(order))
    before, after = np.prod(sizes[:place], dtype=int), np.prod(sizes[place + 1 :], dtype=int)
    y = bands.along(packed.reshape(int(before), sizes[place], int(after)), op.matrix)
    sizes[place] = len(op.matrix)
    return y.reshape(sizes).transpose(backend.inverse(order))


def rows(x: Array) -> Array:
    """(N, C, ...) -> (M, C): a view of channels-last memory, a copy of any other."""
    last = backend.namespace(x).ascontiguousarray(x.transpose(0, *range(2, x.ndim), 1))
    return last.reshape(last.size // x.shape[1], x.shape[1])


def image(matrix: Array, shape: tuple[int, ...]) -> Array:
    """(M, C) -> (N, C, ...) of that shape, channels last."""
    last = matrix.reshape(shape[0], *shape[2:], shape[1])
    return last.transpose(0, last.ndim - 1, *range(1, last.ndim - 1))


@kernel(BatchNorm, "cuda")
@kernel(BatchNormLeakyRelu, "cuda")
def batch_norm(op: BatchNorm, x: Array, weight: Array, bias: Array) -> Array:
    """Two walks: the statistics, the result with the activation."""
    slope = op.slope if isinstance(op, BatchNormLeakyRelu) else 1.0
    y, op.mean, op.var, op.saved = norms.batch_norm(rows(x), weight, bias, op.eps, slope)
    return image(y, x.shape)


@kernel(BatchNorm, "cuda", does="derivative")
@kernel(BatchNormLeakyRelu, "cuda", does="derivative")
def batch_norm_derivative(op: BatchNorm, g: Array) -> tuple[Array | None, ...]:
    """Two walks, the sums and the result, each with the activation's derivative."""
    behind: dict[str, Any] = {}
    if isinstance(op, BatchNormLeakyRelu):
        behind = {"y": rows(op.output.array), "leak": op.slope}
    x, weight = op.input(0).array, op.input(1).array
    rstd = (op.var + op.eps) ** -0.5 if op.saved is None else op.saved
    vectors = (weight, op.mean, rstd)
    gx, gweight, gbias = norms.batch_norm_grad(rows(x), rows(g), *vectors, wanted=op.needs(0), **behind)
    return None if gx is None else image(gx, x.shape), gweight, gbias


@kernel(BatchNorm, "cuda", does="step")
def move_running(op: BatchNorm, momentum: float, count: int, running: list[Tensor]) -> Any:
    """Both running statistics in one kernel."""
    mean, var = (tensor.array for tensor in running)
    if not (mean.dtype == var.dtype == op.mean.dtype):
        return NotImplemented
    norms.running_moments(mean, var, (op.mean, op.var), momentum, count)
    return None


@kernel(Sum, "gpu")
def total(op: Sum, x: Array) -> Any:
    """A sum of everything in the order of memory: CuPy gives any other order to one block of threads."""
    if len(op.axes) < x.ndim or op.keepdims or x.flags.c_contiguous:
        return NotImplemented
    return x.transpose(backend.memory_order(x)).sum()


@kernel(Sum, "cuda")
def sum_of_pixels(op: Sum, x: Array) -> Any:
    """A sum of each channel in stages: CuPy makes a block of threads for each 32 channels."""
    others = tuple(axis for axis in range(x.ndim) if axis != 1)
    if x.ndim < 2 or op.axes != others or op.keepdims:
        return NotImplemented
    return norms.column_sums(rows(x))


@kernel(SumTo, "cuda")
def sum_to_row(op: SumTo, x: Array) -> Any:
    """A sum over all rows but the last axis: a bias of a dense layer."""
    if len(op.target) != 1 or op.target[0] != x.shape[-1] or x.ndim < 2:
        return NotImplemented
    matrix = backend.namespace(x).ascontiguousarray(x)
    return norms.column_sums(matrix.reshape(-1, x.shape[-1]))


@kernel(Adam, "cuda", does="step")
@kernel(AdamW, "cuda", does="step")
def adam(optimizer: Adam, group: Mapping[str, Any], parameters: list[Tensor]) -> Any:
    """Eight parameters where they lie, in one kernel; the numbers that do not change stand outside its loop.

    m' / (sqrt(v') + eps) has both sides times r = sqrt(1 - b2**t).
    """
    if group["amsgrad"]:
        return NotImplemented
    (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
    alike: dict[int, list[Any]] = {}  # by the number of steps
    for p in parameters:
        state = optimizer.state[p]
        arrays = many.alike(p.array, state["exp_avg"], state["exp_avg_sq"], p.grad.array)  # type: ignore[union-attr]
        if arrays is None or not all(
            _same_memory(a, b) for a, b in zip(arrays[1:3], _moments(state), strict=True)
        ):
            optimizer.update(p.array, p.grad.array, state, group)  # type: ignore[union-attr]
        else:
            alike.setdefault(state["step"], []).append(arrays)
    for step, groups in alike.items():
        r = sqrt(1.0 - beta2**step)
        numbers = {
            "shrink": 1.0 - lr * decay if optimizer.decoupled else 1.0,
            "decay": 0.0 if optimizer.decoupled else decay,
            "betas": (beta1, beta2),
            "eps": group["eps"] * r,
            "rate": lr * r / (1.0 - beta1**step),
        }
        many.adam(groups, **numbers)
    return None


def _moments(state: Mapping[str, Any]) -> tuple[Array, Array]:
    return state["exp_avg"], state["exp_avg_sq"]


def _same_memory(alike: Array, moment: Array) -> bool:
    """Whether an array is the moment or a view of it: what is written to a copy would be lost."""
    return alike is moment or backend.owner(alike) is backend.owner(moment)


@kernel(EMA, "cuda", does="step")
def follow(ema: EMA, rate: float, values: list[Tensor], averages: list[Tensor]) -> Any:
    """Eight parameters in a kernel."""
    if len({t.dtype for t in (*values, *averages)}) > 1:
        return NotImplemented
    groups = [many.alike(a.array, v.array) for a, v in zip(averages, values, strict=True)]
    if None in groups:
        return NotImplemented
    many.follow(groups, rate)  # type: ignore[arg-type]
    return None
