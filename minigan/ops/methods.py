"""The tables that install operators, methods and properties on Tensor: each name leads to its function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigan import autograd, backend
from minigan.errors import ArgumentError, GraphError
from minigan.modes import is_grad_enabled
from minigan.ops import (
    activation,
    arithmetic,
    broadcast,
    compare,
    creation,
    elementwise,
    inplace,
    linalg,
    operands,
    reduce,
    select,
    shape,
    steps,
)
from minigan.tensor import Tensor


def _reversed(function: Callable[[Any, Any], Tensor]) -> Callable[[Tensor, Any], Tensor]:
    return lambda x, y: function(operands.as_tensor(y, like=x) if not operands.is_number(y) else y, x)


def _as_numpy(value: Any) -> Any:
    """Replace every tensor inside an argument of a NumPy function by its numbers."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_as_numpy, value)) if type(value) in (list, tuple) else value
    return to_array(value) if isinstance(value, Tensor) else value


def to_array(x: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """Return what ``np.asarray(x)`` gives: the numbers, on the host (from a GPU always a copy).

    Raises GraphError where ``x`` records, as NumPy would lose its gradient without a word.
    """
    if x.requires_grad and is_grad_enabled():
        raise GraphError(
            "NumPy would lose this tensor's gradient: use minigan's functions, or x.detach() or x.numpy()"
        )
    return np.array(x.numpy(), dtype, copy=copy)


def call_numpy(x: Tensor, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """Run a NumPy function (np.mean, np.concatenate, ...) on the numbers; the result is NumPy's."""
    return function(*map(_as_numpy, args), **{name: _as_numpy(value) for name, value in kwargs.items()})


def _rows(x: Tensor) -> Iterator[Tensor]:
    return (shape.getitem(x, i) for i in range(len(x)))


def _format(x: Tensor, spec: str) -> str:
    return format(x.item(), spec) if x.ndim == 0 else format(str(x), spec)


class Size(int):
    """The number of elements, as NumPy's ``size``; called, the shape or one of its sizes, as PyTorch's."""

    shape: tuple[int, ...]

    def __new__(cls, x: Tensor) -> Size:
        found = super().__new__(cls, x.array.size)
        found.shape = x.shape
        return found

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]


def item_or_rows(x: Tensor) -> Any:
    """Return the numbers as Python lists in lists, or one number."""
    return x.numpy().tolist()


def clone(x: Tensor) -> Tensor:
    """Return a copy with memory of its own, through which gradients flow."""
    return arithmetic.Clone()(x)


def contiguous(x: Tensor) -> Tensor:
    """Return x: here no operation asks how memory is laid out."""
    return x


def to(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return x on another device or in another dtype: ``to("cuda")``, ``to(float64)``, ``to(other)``.

    "cpu" is NumPy, "cuda" CuPy; ``non_blocking`` and ``copy`` are accepted and change nothing.  Raises
    DeviceError where the device is missing.
    """
    unknown = kwargs.keys() - {"device", "dtype", "non_blocking", "copy", "memory_format"}
    if unknown:
        raise ArgumentError(f"to: unknown arguments {sorted(unknown)}")
    wanted = [*args, *(kwargs[name] for name in ("device", "dtype") if kwargs.get(name) is not None)]
    for value in wanted:
        if isinstance(value, Tensor):
            x = x.move(value.device).astype(value.dtype)
        elif isinstance(value, str):
            x = x.move(backend.device_name(value))
        elif not isinstance(value, bool):
            x = operands.astype(x, value)
    return x


def _typed(name: str, dtype: Any) -> Callable[[Tensor], Tensor]:
    def typed(x: Tensor) -> Tensor:
        return operands.astype(x, dtype)

    typed.__name__, typed.__doc__ = name, f"Return x as {np.dtype(dtype)}."
    return typed


def cpu(x: Tensor) -> Tensor:
    """Return x on NumPy."""
    return x.move("numpy")


def cuda(x: Tensor, device: Any = None) -> Tensor:
    """Return x on the GPU; DeviceError where there is none, or none of that number."""
    return x.move(backend.device_name("cuda" if device is None else device))


def type_as(x: Tensor, other: Tensor) -> Tensor:
    """Return x in the dtype of ``other``."""
    return operands.astype(x, other.dtype)


def type_of(x: Tensor, dtype: Any = None) -> Any:
    """Return x in another type, given as a dtype or a class such as FloatTensor; alone, its dtype's name."""
    return str(x.dtype) if dtype is None else operands.astype(x, getattr(dtype, "dtype", dtype))


def _new(maker: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    def new(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return maker(*args, **{"dtype": x.dtype, "device": x.device, **kwargs})

    new.__name__, new.__doc__ = (
        name,
        f"Return what `{maker.__name__}` returns, in the dtype and on the device of x.",
    )
    return new


def max_or_pair(x: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Any:
    """Return the largest element; with ``dim`` (values, indices); with a tensor the `maximum` of both."""
    dim = axis if dim is None else dim
    if isinstance(dim, Tensor):
        return elementwise.maximum(x, dim)
    return reduce.amax(x) if dim is None else compare.extremes("max", x, dim, keepdim)


def min_or_pair(x: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Any:
    """Return the smallest element; with ``dim`` (values, indices); with a tensor the `minimum` of both."""
    dim = axis if dim is None else dim
    if isinstance(dim, Tensor):
        return elementwise.minimum(x, dim)
    return reduce.amin(x) if dim is None else compare.extremes("min", x, dim, keepdim)


def truth(x: Tensor) -> bool:
    """Return the only element as a truth value; ArgumentError where there are several."""
    if x.size != 1:
        raise ArgumentError(
            f"the truth value of a tensor of shape {x.shape} is not clear: use .any(), .all() or .item()"
        )
    return bool(x.item())


OPERATORS: dict[str, Callable[..., Any]] = {
    "__add__": arithmetic.add,
    "__radd__": _reversed(arithmetic.add),
    "__sub__": arithmetic.sub,
    "__rsub__": _reversed(arithmetic.sub),
    "__mul__": arithmetic.mul,
    "__rmul__": _reversed(arithmetic.mul),
    "__truediv__": arithmetic.div,
    "__rtruediv__": _reversed(arithmetic.div),
    "__pow__": elementwise.pow,
    "__rpow__": _reversed(elementwise.pow),
    "__matmul__": linalg.matmul,
    "__rmatmul__": _reversed(linalg.matmul),
    "__floordiv__": steps.floor_divide,
    "__mod__": steps.remainder,
    "__and__": compare.bitwise_and,
    "__or__": compare.bitwise_or,
    "__xor__": compare.bitwise_xor,
    "__invert__": compare.bitwise_not,
    "__iadd__": inplace.add_,
    "__isub__": inplace.sub_,
    "__imul__": inplace.mul_,
    "__itruediv__": inplace.div_,
    "__neg__": arithmetic.neg,
    "__abs__": elementwise.abs,
    "__getitem__": shape.getitem,
    "__setitem__": inplace.setitem,
    "__iter__": _rows,
    "__array__": to_array,
    "__array_function__": call_numpy,
    "__eq__": compare.eq,
    "__ne__": compare.ne,
    "__lt__": compare.lt,
    "__le__": compare.le,
    "__gt__": compare.gt,
    "__ge__": compare.ge,
    "__bool__": truth,
    "__int__": lambda x: int(x.item()),
    "__index__": lambda x: x.item().__index__(),
    "__format__": _format,
}


def _by_name(*functions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    return {function.__name__: function for function in functions}


METHODS: dict[str, Callable[..., Any]] = {
    **_by_name(shape.reshape, shape.permute, shape.transpose, shape.flatten, shape.flip),
    **_by_name(broadcast.broadcast_to, broadcast.sum),
    **_by_name(elementwise.exp, elementwise.log, elementwise.sqrt, elementwise.abs, elementwise.pow),
    **_by_name(elementwise.clip, elementwise.maximum, elementwise.minimum, operands.astype),
    **_by_name(arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div, arithmetic.neg),
    **_by_name(reduce.mean, reduce.var, reduce.std, reduce.amax, reduce.amin, reduce.logsumexp),
    **_by_name(reduce.cumsum, reduce.prod, reduce.norm),
    **_by_name(activation.relu, activation.leaky_relu, activation.sigmoid, activation.tanh),
    **_by_name(activation.softmax, activation.log_softmax),
    **_by_name(linalg.matmul, linalg.mm, linalg.bmm, linalg.mv, linalg.dot, linalg.outer),
    **_by_name(
        compare.eq, compare.ne, compare.lt, compare.le, compare.gt, compare.ge, compare.any, compare.all
    ),
    **_by_name(compare.argmax, compare.argmin, compare.sort, compare.argsort, compare.topk, compare.equal),
    **_by_name(compare.allclose, compare.isnan, compare.isinf, compare.isfinite, steps.sign),
    **_by_name(steps.floor, steps.ceil, steps.round, steps.floor_divide, steps.remainder),
    **_by_name(compare.logical_and, compare.logical_or, compare.logical_not, compare.logical_xor),
    **_by_name(
        select.view, select.view_as, select.squeeze, select.unsqueeze, select.expand, select.expand_as
    ),
    **_by_name(select.repeat, select.repeat_interleave, select.split, select.chunk, select.unbind),
    **_by_name(select.gather, select.index_select, select.masked_fill, select.masked_select, select.roll),
    **_by_name(select.tril, select.triu, select.movedim, select.t, select.numel),
    **_by_name(inplace.add_, inplace.sub_, inplace.mul_, inplace.div_, inplace.pow_, inplace.neg_),
    **_by_name(inplace.clamp_, inplace.exp_, inplace.sqrt_, inplace.abs_, inplace.masked_fill_),
    **_by_name(inplace.fill_, inplace.zero_, inplace.normal_, inplace.uniform_, inplace.bernoulli_),
    **_by_name(clone, contiguous, to, cpu, cuda, type_as),
    **_by_name(autograd.backward, autograd.register_hook, autograd.retain_grad),
    **_by_name(inplace.unsqueeze_, inplace.squeeze_, inplace.t_, inplace.transpose_, inplace.resize_),
    **_by_name(elementwise.log1p, elementwise.sin, elementwise.cos, elementwise.rsqrt, elementwise.square),
    **_by_name(elementwise.reciprocal, activation.erf),
    "type": type_of,
    "new_zeros": _new(creation.zeros, "new_zeros"),
    "new_ones": _new(creation.ones, "new_ones"),
    "new_empty": _new(creation.empty, "new_empty"),
    "new_full": _new(creation.full, "new_full"),
    "new_tensor": _new(creation.tensor, "new_tensor"),
    "max": max_or_pair,
    "min": min_or_pair,
    "clamp": elementwise.clip,
    "absolute": elementwise.abs,
    "multiply": arithmetic.mul,
    "tolist": item_or_rows,
    "dim": lambda x: x.ndim,
    "float": _typed("float", np.float32),
    "double": _typed("double", np.float64),
    "half": _typed("half", np.float16),
    "int": _typed("int", np.int32),
    "long": _typed("long", np.int64),
    "bool": _typed("bool", np.bool_),
}

PROPERTIES: dict[str, property] = {
    "size": property(Size, doc=Size.__doc__),
    "T": property(lambda x: shape.permute(x, *reversed(range(x.ndim))), doc="All axes in reverse order."),
    "mT": property(lambda x: shape.transpose(x), doc="The last two axes swapped."),
    "grad_fn": property(lambda x: x.node, doc="The operation that made this tensor, where it was recorded."),
    "is_cuda": property(lambda x: x.device != "numpy", doc="Whether the array lives on a GPU."),
}


def install(table: dict[str, Any]) -> None:
    """Make each function of the table a method of Tensor, each property one of its properties."""
    for name, function in table.items():
        setattr(Tensor, name, function)


for _table in (OPERATORS, METHODS, PROPERTIES):
    install(_table)
