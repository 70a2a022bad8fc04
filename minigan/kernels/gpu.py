"""What is faster on every GPU than the definitions, with array functions alone.

CuPy walks arrays in the order of their indices and writes C order, so for channels-last images an
element-wise function would jump through memory, and so would whatever comes next.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from minigan.backend import Array, inverse, memory_order
from minigan.kernels.registry import kernel
from minigan.ops import activation, arithmetic, elementwise, operands
from minigan.ops.choice import Where
from minigan.ops.shape import Concatenate, Fold, Pad

ELEMENTWISE = (
    arithmetic.Add,
    arithmetic.Sub,
    arithmetic.Mul,
    arithmetic.Div,
    arithmetic.AddScalar,
    arithmetic.MulScalar,
    arithmetic.PowScalar,
    arithmetic.Neg,
    elementwise.Pow,
    elementwise.Exp,
    elementwise.Log,
    elementwise.Sqrt,
    elementwise.Abs,
    elementwise.Clip,
    elementwise.Maximum,
    elementwise.Minimum,
    operands.AsType,
    activation.Relu,
    activation.LeakyRelu,
    activation.Elu,
    activation.Sigmoid,
    activation.Tanh,
    activation.Softplus,
    activation.NormalCdf,
)


def in_memory_order(function: Callable[..., Array], *arrays: Array) -> Array:
    """Return ``function(*arrays)``, an element-wise function, laid out as its largest argument."""
    model = max(arrays, key=lambda array: array.size)
    if model.flags.c_contiguous or any(array.ndim != model.ndim for array in arrays):
        return function(*arrays)
    order = memory_order(model)
    return function(*(array.transpose(order) for array in arrays)).transpose(inverse(order))


def elementwise_kernel(op: Any, *arrays: Array) -> Array:
    """The definition, in the order of memory."""
    return in_memory_order(op.forward, *arrays)


for _kind in ELEMENTWISE:
    kernel(_kind, "gpu")(elementwise_kernel)


@kernel(Where, "gpu")
def choose(op: Where, x: Array, y: Array) -> Any:
    """Choose in the order of memory, from one number for y."""
    if y.ndim or op.condition.shape != x.shape:
        return NotImplemented
    return in_memory_order(lambda part, mask: Where(mask).forward(part, y), x, op.condition)


@kernel(Pad, "gpu")
@kernel(Fold, "gpu")
def pad(op: Any, x: Array) -> Any:
    """Pad, or fold back, in the order of memory: CuPy writes C order, and a convolution would stride."""
    if x.flags.c_contiguous:
        return NotImplemented
    order = memory_order(x)
    turned = copy(op)
    turned.widths = tuple(op.widths[axis] for axis in order)
    return turned.forward(x.transpose(order)).transpose(inverse(order))


@kernel(Concatenate, "gpu")
def concatenate(op: Concatenate, *arrays: Array) -> Any:
    """Join in the order of memory that all have."""
    order = memory_order(arrays[0])
    if order == sorted(order) or any(memory_order(array) != order for array in arrays[1:]):
        return NotImplemented
    turned = Concatenate(order.index(op.axis))
    return turned.forward(*(array.transpose(order) for array in arrays)).transpose(inverse(order))
