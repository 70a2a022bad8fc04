"""What Tensor can do beside computing: conversions, sizes, NumPy's bridges; `methods` installs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError, GraphError
from minigan.modes import is_grad_enabled
from minigan.ops import arithmetic, compare, creation, elementwise, operands, reduce, shape
from minigan.tensor import Tensor


def swapped(function: Callable[[Any, Any], Tensor]) -> Callable[[Tensor, Any], Tensor]:
    """Return the function with its operands swapped: what ``2 - x`` asks of x."""
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


def rows(x: Tensor) -> Iterator[Tensor]:
    """Yield the slices along the first axis."""
    return (shape.getitem(x, i) for i in range(len(x)))


def formatted(x: Tensor, spec: str) -> str:
    """Return one number as ``spec`` says, or the text of a tensor with axes."""
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


def typed(name: str, dtype: Any) -> Callable[[Tensor], Tensor]:
    """Return the method that converts to a dtype."""

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


def maker_like(maker: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """Return the method that makes a tensor in the dtype and on the device of another."""

    def new(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return maker(*args, **{"dtype": x.dtype, "device": x.device, **kwargs})

    new.__name__, new.__doc__ = (
        name,
        f"Return what `{maker.__name__}` returns, in the dtype and on the device of x.",
    )
    return new


def new(x: Tensor, *args: Any) -> Tensor:
    """Return a tensor of x's dtype and device: with a list's or an array's numbers, or to be filled."""
    if args and not isinstance(args[0], (int, np.integer)):
        return creation.tensor(args[0], dtype=x.dtype, device=x.device)
    return creation.empty(*(args or (0,)), dtype=x.dtype, device=x.device)


def strides(x: Tensor) -> tuple[int, ...]:
    """Return how many elements of memory lie between neighbours along each axis."""
    return tuple(step // x.dtype.itemsize for step in x.array.strides)


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
