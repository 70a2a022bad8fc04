"""Sums of large arrays on all threads, choices between an element and 0, and derivatives of arithmetic.

Those are array expressions where the definitions build operations: what is saved is time in Python.
"""

from __future__ import annotations

import threading
from contextvars import Context
from operator import pow, truediv
from typing import Any

import numpy as np

from minigan.backend import Array, namespace
from minigan.kernels import parallel
from minigan.kernels.registry import kernel
from minigan.ops.arithmetic import Add, AddScalar, Div, Mul, MulScalar, Neg, PowScalar, Sub
from minigan.ops.broadcast import Sum, sum_array_to
from minigan.ops.choice import Where
from minigan.ops.shape import Reshape
from minigan.tensor import Op


class _Quiet(threading.local):
    """A context for each thread in which NumPy says nothing of a division by 0.

    NumPy keeps what it says in a context variable; to enter a context that is ready takes a twentieth of the
    time that `numpy.errstate` takes to make one.
    """

    def __init__(self) -> None:
        self.run = Context().run
        self.run(lambda: np.seterr(all="ignore"))


quiet = _Quiet()


@kernel(Div, "numpy")
def div(op: Div, x: Array, y: Array) -> Array:
    """x / y, infinite or NaN where y is 0."""
    return quiet.run(truediv, x, y)


@kernel(PowScalar, "numpy")
def power(op: PowScalar, x: Array) -> Array:
    """x**p, infinite where x is 0 and p below it."""
    return x**op.p if op.p >= 0 else quiet.run(pow, x, op.p)


@kernel(Add, "numpy")
def add(op: Add, x: Array, y: Array) -> Array:
    """Gradients that meet are often large, and of one shape and memory order."""
    if x.nbytes < parallel.WORTH or (x.shape, x.strides) != (y.shape, y.strides):
        return x + y
    z = np.empty_like(x)
    parallel.over(lambda a, b, c: np.add(a, b, out=c), x, y, z)
    return z


@kernel(Where, "numpy")
def choose(op: Where, x: Array, y: Array) -> Any:
    """x or 0."""
    if y.ndim or y or op.condition.ndim > x.ndim:
        return NotImplemented
    return kept(x, op.condition) if np.broadcast(x, op.condition).shape == x.shape else NotImplemented


def kept(x: Array, condition: Array, out: Array = None) -> Array:
    """x where the condition, which broadcasts to x, holds, else 0; into ``out`` where given.

    The bits of x and all ones, or and all zeros: where the condition looks random NumPy's ``where`` takes ten
    times as long.
    """
    xp, whole = namespace(x), f"i{x.itemsize}"
    bits = xp.negative(xp.asarray(condition).view("i1"))  # True is 1, and -1 is all ones
    if out is not None:
        xp.bitwise_and(x.view(whole), xp.asarray(bits).astype(whole), out=out.view(whole))
        return out
    ones = xp.empty_like(x, dtype=whole)  # in the memory order of x
    ones[...] = bits
    return xp.bitwise_and(x.view(whole), ones, out=ones).view(x.dtype)


def shares(op: Op, first: Array | None, second: Array | None) -> tuple[Array | None, Array | None]:
    """Two gradients of the result's shape, each summed to its input's."""
    one, other = op.input_shapes
    if first is not None and first.shape != one:
        first = sum_array_to(first, one)
    if second is not None and second.shape != other:
        second = sum_array_to(second, other)
    return first, second


@kernel(Add, "numpy", does="derivative")
def add_derivative(op: Add, g: Array) -> tuple[Array | None, ...]:
    """g, g."""
    return shares(op, g, g)


@kernel(Sub, "numpy", does="derivative")
def sub_derivative(op: Sub, g: Array) -> tuple[Array | None, ...]:
    """g, -g."""
    return shares(op, g if op.needs(0) else None, -g if op.needs(1) else None)


@kernel(Mul, "numpy", does="derivative")
def mul_derivative(op: Mul, g: Array) -> tuple[Array | None, ...]:
    """g * y, g * x."""
    gx = g * op.input(1)._data if op.needs(0) else None
    return shares(op, gx, g * op.input(0)._data if op.needs(1) else None)


@kernel(Div, "numpy", does="derivative")
def div_derivative(op: Div, g: Array) -> tuple[Array | None, ...]:
    """g / y, -g / y * (x / y)."""
    return shares(op, *quiet.run(_quotients, op, g, op.input(1)._data))


def _quotients(op: Div, g: Array, y: Array) -> tuple[Array | None, Array | None]:
    gx = g / y
    return gx if op.needs(0) else None, -gx * (op.input(0)._data / y) if op.needs(1) else None


@kernel(AddScalar, "numpy", does="derivative")
def add_scalar_derivative(op: AddScalar, g: Array) -> Array:
    """g."""
    return g


@kernel(MulScalar, "numpy", does="derivative")
def mul_scalar_derivative(op: MulScalar, g: Array) -> Array:
    """c g."""
    return g * op.c


@kernel(Neg, "numpy", does="derivative")
def neg_derivative(op: Neg, g: Array) -> Array:
    """-g."""
    return -g


@kernel(PowScalar, "numpy", does="derivative")
def square_derivative(op: PowScalar, g: Array) -> Any:
    """2 x g, for squares."""
    return g * (op.input(0)._data * 2.0) if op.p == 2 else NotImplemented


@kernel(Sum, "numpy", does="derivative")
def sum_derivative(op: Sum, g: Array) -> Array:
    """Every element of an axis that was summed has the same gradient."""
    shape = op.input_shapes[0]
    kept = [1 if axis in op.axes else n for axis, n in enumerate(shape)]
    return np.broadcast_to(g.reshape(kept), shape)


@kernel(Reshape, "numpy", does="derivative")
def reshape_derivative(op: Reshape, g: Array) -> Array:
    """g in the input's shape."""
    return g.reshape(op.input_shapes[0])
