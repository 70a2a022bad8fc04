"""Changing a tensor in place: what the names with an underscore, ``+=`` and ``x[index] = value`` do.

Where nothing is recorded the numbers are overwritten in the same memory, and every view sees them.  Where
something is, a leaf that requires a gradient refuses, and any other tensor *becomes* the result of the
recorded operation: the same object, with another value and history (views made before keep the old value).
A graph that still needs the old value notices, as with any change: see `tensor.Op.input`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array, namespace
from minigan.errors import DTypeError, GraphError, ShapeError
from minigan.modes import is_grad_enabled, no_grad
from minigan.ops import arithmetic, creation, elementwise
from minigan.ops.broadcast import broadcast_to, sum_to
from minigan.ops.operands import as_tensor, astype, broadcast_shapes, whole_numbers
from minigan.ops.select import masked_fill, squeeze, t, unsqueeze
from minigan.ops.shape import getitem, plain_index, transpose
from minigan.tensor import Op, Tensor


class SetItem(Op):
    """x, v -> x with v at ``index``;  gx = g with 0 there, gv = g[index]."""

    any_dtype = True
    exact = True

    def __init__(self, index: Any):
        self.index = index

    def forward(self, x: Array, value: Array) -> Array:
        y = x.copy()
        y[self.index] = value
        return y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        none = Tensor._wrap(namespace(g.array).zeros((), g.dtype))
        return (
            SetItem(self.index)(g, none) if self.needs(0) else None,
            sum_to(getitem(g, self.index), self.input_shapes[1]) if self.needs(1) else None,
        )


_overwrite = Tensor.copy_  # in the same memory, whatever is recorded


def _check(x: Tensor, name: str) -> None:
    """Refuse what would falsify a graph."""
    if is_grad_enabled() and x.requires_grad and x.is_leaf:
        raise GraphError(
            f"{name}: a leaf that requires a gradient cannot change in place while operations are recorded; "
            "put it under minigan.no_grad(), or change x.data"
        )


def become(x: Tensor, result: Tensor, name: str) -> Tensor:
    """Give ``x`` the value of ``result``, and its history if it has one; returns x."""
    _check(x, name)
    if result.shape != x.shape:
        raise ShapeError(f"{name}: the result has shape {result.shape}, the tensor {x.shape}")
    if not np.can_cast(result.dtype, x.dtype, "same_kind"):
        raise DTypeError(f"{name}: a result of dtype {result.dtype} does not fit a tensor of {x.dtype}")
    if not (result.requires_grad or x.requires_grad and is_grad_enabled()):
        return _overwrite(x, result)
    result = astype(result, x.dtype)
    x.array = result.array
    x.node, x.requires_grad = result.node, result.requires_grad
    return x


def copy_(x: Tensor, value: Any) -> Tensor:
    """Overwrite x with an array or a tensor that broadcasts to it; recorded where either records."""
    if isinstance(value, Tensor) and is_grad_enabled() and (x.requires_grad or value.requires_grad):
        return become(x, arithmetic.Clone()(broadcast_to(astype(value, x.dtype), x.shape)), "copy_")
    given = value if isinstance(value, Tensor) else as_tensor(value)
    if given.shape != x.shape and broadcast_shapes(given.shape, x.shape, "copy_") == x.shape:
        given = broadcast_to(given, x.shape)
    return _overwrite(x, given)


def before(x: Tensor) -> Tensor:
    """A tensor with the value and history that x has now, for an operation that may keep it."""
    twin = x.detach()
    twin.node, twin.requires_grad = x.node, x.requires_grad
    return twin


def on_request(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Decorator: with ``inplace=True`` the first argument becomes the result, and is returned."""
    code = getattr(function, "__wrapped__", function).__code__
    place = code.co_varnames[: code.co_argcount].index("inplace")

    @wraps(function)
    def either(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if kwargs.get("inplace") or len(args) >= place and args[place - 1]:
            result = function(before(input), *args, **kwargs)
            same = result.array is input.array  # nothing was dropped
            return input if same else become(input, result, f"{function.__name__}(inplace=True)")
        return function(input, *args, **kwargs)

    return either


def in_place(name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function that changes its first argument to what ``function`` returns."""

    def change(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _check(x, name)
        return become(x, function(before(x), *args, **kwargs), name)

    change.__name__ = change.__qualname__ = name
    change.__doc__ = f"Change x in place to what `{function.__name__}` returns; see `ops.inplace`."
    return change


add_ = in_place("add_", arithmetic.add)
sub_ = in_place("sub_", arithmetic.sub)
mul_ = in_place("mul_", arithmetic.mul)
div_ = in_place("div_", arithmetic.div)
pow_ = in_place("pow_", elementwise.pow)
neg_ = in_place("neg_", arithmetic.neg)
clamp_ = in_place("clamp_", elementwise.clip)
exp_ = in_place("exp_", elementwise.exp)
sqrt_ = in_place("sqrt_", elementwise.sqrt)
abs_ = in_place("abs_", elementwise.abs)
masked_fill_ = in_place("masked_fill_", masked_fill)


def _reshaped(name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def change(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _check(x, name)
        result = function(before(x), *args, **kwargs)
        x._data, x.node, x.requires_grad = result._data, result.node, result.requires_grad
        return x

    change.__name__ = change.__qualname__ = name
    change.__doc__ = f"Give x the shape that `{function.__name__}` returns, in the same memory."
    return change


unsqueeze_ = _reshaped("unsqueeze_", unsqueeze)
squeeze_ = _reshaped("squeeze_", squeeze)
t_ = _reshaped("t_", t)
transpose_ = _reshaped("transpose_", transpose)


def resize_(x: Tensor, *sizes: Any) -> Tensor:
    """Give x other sizes; its elements, to be overwritten, are kept as far as they reach, then zeros."""
    _check(x, "resize_")
    shape = whole_numbers(*sizes)
    flat = np.zeros(int(np.prod(shape)), x.dtype)
    old = x.detach().numpy().reshape(-1)[: flat.size]
    flat[: old.size] = old
    x.array = backend.of(x.array).from_host(flat.reshape(shape))
    return x


def resize_as_(x: Tensor, other: Tensor) -> Tensor:
    """Give x the sizes of ``other``; see `resize_`."""
    return resize_(x, other.shape)


def detach_(x: Tensor) -> Tensor:
    """Cut x itself off from the graph that made it."""
    x.node, x.requires_grad = None, False
    return x


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: a number, an array or a tensor that broadcasts to what the index names."""
    _check(x, "x[index] = value")
    given = as_tensor(value, like=x)
    if given.dtype != x.dtype:
        given = given.astype(x.dtype)
    place = plain_index(x, index)
    try:
        if is_grad_enabled() and (x.requires_grad or given.requires_grad):
            become(x, SetItem(place)(before(x), given), "x[index] = value")
        else:
            x.array[place] = given.array
            x.bump()
    except (IndexError, ValueError) as error:
        raise ShapeError(f"x[index] = value: {error} (x of shape {x.shape}, value {given.shape})") from error


def _filled(x: Tensor, array: Any, name: str) -> Tensor:
    """Overwrite x with a host array or a number, its history forgotten."""
    _check(x, name)
    with no_grad():
        host = np.broadcast_to(np.asarray(array, x.dtype), x.shape)
        new = Tensor._wrap(backend.of(x.array).from_host(host))
        _overwrite(x, new)
    if x.node is not None:
        x.node, x.requires_grad = None, False
    return x


def fill_(x: Tensor, value: Any) -> Tensor:
    """Overwrite every element with one number."""
    return _filled(x, value.item() if isinstance(value, Tensor) else value, "fill_")


def zero_(x: Tensor) -> Tensor:
    """Overwrite every element with 0."""
    return _filled(x, 0, "zero_")


def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Overwrite with draws from N(mean, std**2)."""
    drawn = (generator or creation.default_generator()).normal(mean, std, x.shape)
    return _filled(x, drawn, "normal_")


def uniform_(x: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
    """Overwrite with draws from U[a, b)."""
    return _filled(x, (generator or creation.default_generator()).uniform(a, b, x.shape), "uniform_")


def bernoulli_(x: Tensor, p: float = 0.5, *, generator: Any = None) -> Tensor:
    """Overwrite with 1 with probability p, else 0."""
    drawn = (generator or creation.default_generator()).random(x.shape) < p
    return _filled(x, drawn, "bernoulli_")
