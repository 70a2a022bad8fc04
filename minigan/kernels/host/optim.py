"""Optimisers over flat chunks, for NumPy's arrays and, joined into one chunk, for a GPU's.

A dozen element-wise passes over each of forty tensors waste time twice: on forty dozen calls, and on
fetching every array from memory a dozen times.  So a group's moments live in one flat array, of which
``optimizer.state`` holds views, and the step goes through it in chunks that stay in cache: a chunk's
gradients and parameters are gathered, updated by the rule (the dozen passes), and the parameters written
back.  Small parameters share a chunk, large ones are cut up.  The parameters themselves stay where they are,
so replacing ``p.array`` or sharing a parameter with another optimiser needs no care.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import sqrt
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from minigan import backend
from minigan.backend import Array, memory_order
from minigan.kernels import parallel
from minigan.kernels.registry import kernel
from minigan.optim.ema import EMA
from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import SGD, Adam, AdamW, RMSprop, decayed
from minigan.tensor import Tensor

CHUNK = 1 << 17  # elements: few enough for the cache, enough that threads seldom wait for the interpreter

Moments = Mapping[str, Array]
Group = Mapping[str, Any]


class Piece(NamedTuple):
    """A run of one parameter's elements: its value (flat, in place), gradient and place among the moments."""

    value: Array
    gradient: Array
    start: int


class Block:
    """Parameters of one group, dtype and device, with their places in flat moment arrays."""

    def __init__(self, optimizer: Optimizer, parameters: list[Tensor], slots: tuple[str, ...]):
        first = parameters[0].array
        self.parameters, self.slots, self.xp = parameters, slots, backend.namespace(first)
        # Moments lie in memory as the parameter did when first seen, so that both are walked without copying.
        self.orders = [memory_order(p.array) for p in parameters]
        self.starts = np.cumsum([0] + [p.size for p in parameters]).tolist()
        self.flat = {slot: self.xp.zeros(self.starts[-1], first.dtype) for slot in slots}
        self.views = [{slot: self._view(slot, i) for slot in slots} for i in range(len(parameters))]
        for p, views in zip(parameters, self.views, strict=True):
            state = optimizer.state.get(p, {})
            for slot, view in views.items() if state else ():
                if slot in state:
                    view[...] = state[slot]
                state[slot] = view

    def _view(self, slot: str, i: int) -> Array:
        """Parameter i's part of a moment, in the parameter's shape."""
        order, shape = self.orders[i], self.parameters[i].shape
        part = self.flat[slot][self.starts[i] : self.starts[i + 1]]
        return part.reshape([shape[axis] for axis in order]).transpose(backend.inverse(order))

    def holds(self, optimizer: Optimizer) -> bool:
        """Whether every moment is still this block's."""
        return all(
            optimizer.state[p].get(slot) is view
            for p, views in zip(self.parameters, self.views, strict=True)
            if p in optimizer.state
            for slot, view in views.items()
        )


_blocks: WeakKeyDictionary[Optimizer, dict[Any, Block]] = WeakKeyDictionary()


def block_of(optimizer: Optimizer, group: Mapping[str, Any], like: Tensor) -> Block:
    """Return the group's block of the dtype and device of ``like``; a new one where anything has changed."""
    members = [p for p in group["params"] if p.dtype == like.dtype and type(p.array) is type(like.array)]
    slots, mine = optimizer.slots(group), _blocks.setdefault(optimizer, {})
    key = (id(group), like.dtype, type(like.array))
    block = mine.get(key)
    if block is not None and block.slots == slots and [*map(id, block.parameters)] == [*map(id, members)]:
        if block.holds(optimizer):
            return block
    mine[key] = Block(optimizer, members, slots)
    return mine[key]


def chunks(block: Block, optimizer: Optimizer, moving: set[int]) -> Iterator[tuple[list[Piece], int]]:
    """Yield runs of neighbours with one step count.

    One that is not dense in memory (a strided view) is a chunk of its own, in its own shape.
    """
    limit = CHUNK if block.xp is np else max(1, block.starts[-1])
    chunk: list[Piece] = []
    filled, step = 0, 0
    for i, p in enumerate(block.parameters):
        here = id(p) in moving
        value = p.array.transpose(block.orders[i])
        count = optimizer.state[p]["step"] if here else 0
        if chunk and (not here or count != step or not value.flags.c_contiguous):
            yield chunk, step
            chunk, filled = [], 0
        if not here:
            continue
        assert p.grad is not None
        step, gradient = count, p.grad.array.transpose(block.orders[i])
        if not value.flags.c_contiguous:
            yield [Piece(value, gradient, block.starts[i])], step
            continue
        value, gradient, first = value.reshape(-1), gradient.reshape(-1), 0
        while first < p.size:
            last = min(p.size, first + limit - filled)
            chunk.append(Piece(value[first:last], gradient[first:last], block.starts[i] + first))
            filled, first = filled + last - first, last
            if filled == limit:
                yield chunk, step
                chunk, filled = [], 0
    if chunk:
        yield chunk, step


def update_chunk(
    rule: Callable[..., None], block: Block, chunk: list[Piece], step: int, group: Group
) -> None:
    """Gather a chunk, apply the rule, and write the parameters back."""
    xp, start, stop = block.xp, chunk[0].start, chunk[-1].start + chunk[-1].value.size
    scratch = xp.empty(stop - start, chunk[0].value.dtype)
    moments = {slot: array[start:stop] for slot, array in block.flat.items()}
    climbing = group.get("maximize")
    if len(chunk) == 1 and chunk[0].value.ndim == 1:  # the usual chunk, a part of one large parameter
        g = chunk[0].gradient
        return rule(chunk[0].value, -g if climbing else g, scratch, moments, step, group)
    p = xp.concatenate([piece.value.reshape(-1) for piece in chunk])
    g = xp.concatenate([piece.gradient.reshape(-1) for piece in chunk])
    rule(p, -g if climbing else g, scratch, moments, step, group)
    for piece in chunk:
        place = slice(piece.start - start, piece.start - start + piece.value.size)
        piece.value[...] = p[place].reshape(piece.value.shape)


def walk(rule: Callable[..., None], optimizer: Optimizer, group: Any, parameters: list[Tensor]) -> None:
    """Take one step with every parameter, all of one device."""
    for dtype in {p.dtype: None for p in parameters}:
        some = [p for p in parameters if p.dtype == dtype]
        block = block_of(optimizer, group, some[0])
        found = chunks(block, optimizer, {id(p) for p in some})
        jobs = [partial(update_chunk, rule, block, chunk, step, group) for chunk, step in found]
        if block.xp is np:
            parallel.run(jobs)
        else:
            for job in jobs:
                job()


def sgd(p: Array, g: Array, scratch: Array, moments: Moments, step: int, group: Group) -> None:
    """See `optim.rules.SGD`."""
    xp, momentum = backend.namespace(p), group["momentum"]
    g = decayed(p, g, group["weight_decay"])
    if momentum:
        b = moments["momentum_buffer"]
        if step == 1:
            b[...] = g
        else:
            b *= momentum
            xp.multiply(g, 1.0 - group["dampening"], out=scratch)
            b += scratch
        g = g + momentum * b if group["nesterov"] else b
    xp.multiply(g, group["lr"], out=scratch)
    p -= scratch


def rmsprop(p: Array, g: Array, scratch: Array, moments: Moments, step: int, group: Group) -> None:
    """See `optim.rules.RMSprop`."""
    xp, alpha, v = backend.namespace(p), group["alpha"], moments["square_avg"]
    g = decayed(p, g, group["weight_decay"])
    v *= alpha
    xp.multiply(g, g, out=scratch)
    scratch *= 1.0 - alpha
    v += scratch
    if group["centered"]:
        mean = moments["grad_avg"]
        mean *= alpha
        xp.multiply(g, 1.0 - alpha, out=scratch)
        mean += scratch
        xp.multiply(mean, mean, out=scratch)
        xp.subtract(v, scratch, out=scratch)
        xp.sqrt(scratch, out=scratch)
    else:
        xp.sqrt(v, out=scratch)
    scratch += group["eps"]
    xp.divide(g, scratch, out=scratch)
    if group["momentum"]:
        b = moments["momentum_buffer"]
        b *= group["momentum"]
        b += scratch
        scratch[...] = b
    scratch *= group["lr"]
    p -= scratch


def adam(
    decoupled: bool,
    p: Array,
    g: Array,
    scratch: Array,
    moments: Moments,
    step: int,
    group: Group,
) -> None:
    """See `optim.rules.Adam`.

    m' / (sqrt(v') + eps) has both sides times r = sqrt(1 - b2**t): one pass fewer.
    """
    xp, (beta1, beta2), lr = backend.namespace(p), group["betas"], group["lr"]
    m, v = moments["exp_avg"], moments["exp_avg_sq"]
    if not decoupled:
        g = decayed(p, g, group["weight_decay"])
    elif group["weight_decay"]:
        p *= 1.0 - lr * group["weight_decay"]
    m *= beta1
    xp.multiply(g, 1.0 - beta1, out=scratch)
    m += scratch
    v *= beta2
    xp.multiply(g, g, out=scratch)
    scratch *= 1.0 - beta2
    v += scratch
    if group["amsgrad"]:
        v = xp.maximum(moments["max_exp_avg_sq"], v, out=moments["max_exp_avg_sq"])
    r = sqrt(1.0 - beta2**step)
    xp.sqrt(v, out=scratch)
    scratch += group["eps"] * r
    xp.divide(m, scratch, out=scratch)
    scratch *= lr * r / (1.0 - beta1**step)
    p -= scratch


for _kind, _rule in (
    (SGD, sgd),
    (RMSprop, rmsprop),
    (Adam, partial(adam, False)),
    (AdamW, partial(adam, True)),
):
    for _device in ("numpy", "gpu"):
        kernel(_kind, _device, does="step")(partial(walk, _rule))


@kernel(EMA, "numpy", does="step")
def follow(ema: EMA, rate: float, values: list[Tensor], averages: list[Tensor]) -> None:
    """average += rate (value - average), in cache-sized chunks where both lie flat in memory."""
    jobs: list[Any] = []
    for average, value in zip(averages, values, strict=True):
        a, b = average.array, value.array
        if a.flags.c_contiguous and b.flags.c_contiguous:
            a, b = a.reshape(-1), b.reshape(-1)
            jobs += [
                partial(_follow, a[i : i + CHUNK], b[i : i + CHUNK], rate) for i in range(0, a.size, CHUNK)
            ]
        else:
            _follow(a, b, rate)
    parallel.run(jobs)


def _follow(average: Array, value: Array, rate: float) -> None:
    difference = value - average
    difference *= rate
    average += difference
