"""Tensor and Op: a value that remembers how it was made, and the record of one operation.

A graph is Ops linked by ``parents``.  An edge leads to the Op that made an input, or to the leaf
Tensor itself, or is None where no gradient is wanted.  Edges do not hold values: an Op keeps only
those inputs its derivative reads (``keeps``), so everything else is freed as soon as the forward
pass is done with it.

There is no arithmetic here; `minigan.ops` supplies it and installs the operators.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import DTypeError, GraphError, ShapeError

Edge: TypeAlias = Union["Op", "Tensor", None]
Observer: TypeAlias = Callable[[str, "Op", Array, float], None]

_order = count()
observers: list[Observer] = []  # called as observer(phase, op, array, seconds); see autograd.observe


class _Recording(threading.local):
    enabled = True


_recording = _Recording()


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded in this thread."""
    return _recording.enabled


@contextmanager
def _set_recording(enabled: bool) -> Iterator[None]:
    before = _recording.enabled
    _recording.enabled = enabled
    try:
        yield
    finally:
        _recording.enabled = before


def no_grad() -> Any:
    """Context manager (or decorator) inside which no operation is recorded."""
    return _set_recording(False)


def enable_grad() -> Any:
    """Context manager (or decorator) that records again inside `no_grad`."""
    return _set_recording(True)


class Tensor:
    """An array with a gradient: ``Tensor(data, requires_grad=False, dtype=None)``.

    ``data`` is a number, a nested list or an array of any shape.  Python numbers and lists of them
    become float32 (whole-number lists int64); arrays keep their type and are *not* copied, as with
    ``torch.from_numpy``.  New arrays go to the current backend.

    Raises DTypeError when a gradient is asked of integers.
    """

    __slots__ = ("_data", "_version", "grad", "node", "requires_grad", "cache", "__weakref__")
    __array_ufunc__ = None  # array * tensor comes to Tensor.__rmul__, not to a loop over elements

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None):
        twin = data if isinstance(data, Tensor) else None
        data = data if twin is None else twin._data
        if not hasattr(data, "__array__") and not hasattr(data, "__cuda_array_interface__"):
            data = np.asarray(data)
            if data.dtype == np.float64:
                data = data.astype(np.float32)
        if isinstance(data, (np.ndarray, np.generic)) and type(data) not in backend._by_type:
            data = np.asarray(data)
        if type(data) is np.ndarray:
            data = backend.current().from_host(data)
        if dtype is not None:
            data = data.astype(dtype, copy=False)
        if data.dtype.kind not in "fbiu":
            raise DTypeError(f"Tensor: expected numbers, got dtype {data.dtype}")
        self._data: Array = data
        # Shared by all tensors that see the same memory: detached twins and views.
        self._version: list[int] = [0] if twin is None or data is not twin._data else twin._version
        self.grad: Tensor | None = None
        self.node: Op | None = None
        self.requires_grad = False
        self.cache: dict[Any, Any] | None = None  # derived values, each stored with its version
        if requires_grad:
            self.requires_grad_()

    @classmethod
    def _wrap(cls, array: Array) -> Tensor:
        """Make a constant from an array that is already on its device: no checks, no copy."""
        self = cls.__new__(cls)
        self._data = array
        self._version = [0]
        self.grad = self.node = self.cache = None
        self.requires_grad = False
        return self

    @property
    def data(self) -> Array:
        """The raw array.  Assigning replaces it and bumps the version; so does ``t.data += ...``."""
        return self._data

    @data.setter
    def data(self, array: Array) -> None:
        if array is self._data:
            self._version[0] += 1
        else:  # views and detached twins keep the old memory, and its version
            self._data, self._version = array, [self._version[0] + 1]

    @property
    def version(self) -> int:
        """How often the value was changed in place."""
        return self._version[0]

    def bump(self) -> None:
        """Say that the array was changed in place, so that a graph that used it notices."""
        self._version[0] += 1

    def copy_(self, value: Any) -> Tensor:
        """Overwrite the value in place (same shape), keeping dtype and device; bumps the version."""
        source = value._data if isinstance(value, Tensor) else value
        if type(source) not in backend._by_type:
            source = np.asarray(source)
        if source.shape != self.shape:
            raise ShapeError(f"copy_: expected shape {self.shape}, got {source.shape}")
        self._data[...] = backend.to_device(source, self.device).astype(self.dtype, copy=False)
        self.bump()
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def dtype(self) -> np.dtype:
        """Number type of the elements."""
        return self._data.dtype

    @property
    def device(self) -> str:
        """Name of the backend the array lives on."""
        return backend.of(self._data).name

    @property
    def is_leaf(self) -> bool:
        """True unless a recorded operation made this tensor."""
        return self.node is None

    def numpy(self) -> np.ndarray:
        """Return the value on the host: the same memory on NumPy, a copy from a GPU."""
        return backend.to_host(self._data)

    def item(self) -> Any:
        """Return the only element as a Python number."""
        if self.size != 1:
            raise ShapeError(f"item: expected one element, got shape {self.shape}; use .numpy()")
        return self._data.item()

    def detach(self) -> Tensor:
        """Return a constant that shares this memory and version, cut off from the graph."""
        twin = Tensor._wrap(self._data)
        twin._version = self._version
        return twin

    def to(self, device: str) -> Tensor:
        """Return this tensor on "numpy" or "cupy" (itself when there); the result is a leaf."""
        if device == self.device:
            return self
        if self.node is not None and self.requires_grad:
            raise GraphError("to: moving a recorded result would cut its graph; call .detach() first")
        moved = Tensor._wrap(backend.to_device(self._data, device))
        moved.requires_grad = self.requires_grad
        return moved

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for (or stop asking for) the gradient of a leaf; returns self."""
        if requires_grad and self.dtype.kind != "f":
            raise DTypeError(f"requires_grad: only floating-point tensors have gradients, got {self.dtype}")
        if self.node is not None and not requires_grad:
            raise GraphError("requires_grad_(False): this tensor is a recorded result; use .detach()")
        self.requires_grad = requires_grad
        return self

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    if TYPE_CHECKING:  # installed by minigan.ops.methods; declared here for type checkers
        backward: Callable[..., None]
        __add__: Callable[[Tensor, Any], Tensor]
        __radd__: Callable[[Tensor, Any], Tensor]
        __sub__: Callable[[Tensor, Any], Tensor]
        __rsub__: Callable[[Tensor, Any], Tensor]
        __mul__: Callable[[Tensor, Any], Tensor]
        __rmul__: Callable[[Tensor, Any], Tensor]
        __truediv__: Callable[[Tensor, Any], Tensor]
        __rtruediv__: Callable[[Tensor, Any], Tensor]
        __pow__: Callable[[Tensor, Any], Tensor]
        __rpow__: Callable[[Tensor, Any], Tensor]
        __matmul__: Callable[[Tensor, Any], Tensor]
        __rmatmul__: Callable[[Tensor, Any], Tensor]
        __neg__: Callable[[Tensor], Tensor]
        __getitem__: Callable[[Tensor, Any], Tensor]
        __lt__: Callable[[Tensor, Any], Tensor]
        __le__: Callable[[Tensor, Any], Tensor]
        __gt__: Callable[[Tensor, Any], Tensor]
        __ge__: Callable[[Tensor, Any], Tensor]

        def __getattr__(self, name: str) -> Callable[..., Tensor]: ...

    __hash__ = object.__hash__  # by identity: == compares element by element

    def __repr__(self) -> str:
        body = np.array2string(self.numpy(), precision=4, separator=", ", threshold=20, prefix="Tensor(")
        tail = f", node={self.node.name}" if self.node else ", requires_grad=True" * self.requires_grad
        return f"Tensor({body}, dtype={self.dtype}{tail})"


class Op:
    """One operation of a graph: ``forward`` computes on arrays, ``backward`` on Tensors.

    Write a subclass with ``forward(self, *arrays) -> array`` and
    ``backward(self, g) -> Tensor | None | tuple of them`` (one per input), hyper-parameters in
    ``__init__``, and call an instance once: ``Exp()(x)``.  Because backward uses Tensor operations,
    its own derivative comes from the same code, to any order.
    """

    keeps: Sequence[int] = ()  # inputs whose values backward reads; may be a property that asks needs(i)
    keeps_output = False  # whether backward reads the result (self.output)
    any_dtype = False  # True for operations that only move elements
    exact = False  # True for operations that round nothing; all others compute float16 as float32
    elementwise = False  # True for functions of one element at a time; set in ops/methods.py

    parents: tuple[Edge, ...] = ()
    recording = False
    released = False
    _wanted: Sequence[bool] | None = None
    _output: tuple[Array, list[int], int] | None = None

    def forward(self, *arrays: Array) -> Array:
        """Compute the result from raw arrays."""
        raise NotImplementedError

    def backward(self, g: Tensor) -> Any:
        """Return the gradient of each input for the result's gradient ``g`` (its shape)."""
        raise NotImplementedError(f"{self.name} has no derivative")

    @property
    def name(self) -> str:
        """The class name, as shown in errors and drawings."""
        return type(self).__name__

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Run forward and, if any input wants a gradient and recording is on, record it."""
        arrays = [t._data for t in inputs]
        self._check(arrays)
        if arrays[0].dtype.char == "e" and not self.exact:
            return self(*[t.astype(np.float32) for t in inputs]).astype(np.float16)  # see ops/half.py
        if _recording.enabled:
            for t in inputs:
                if t.requires_grad:
                    self.recording = True
                    self.parents = tuple((t.node or t) if t.requires_grad else None for t in inputs)
                    break
        compute = self.forward
        if self.elementwise and type(arrays[0]) is not np.ndarray:
            compute = partial(backend.in_memory_order, self.forward)
        if observers:
            array = run_observed("forward", self, compute, *arrays)
        else:
            array = compute(*arrays)
        if isinstance(array, np.generic):
            array = np.asarray(array)
        result = Tensor._wrap(array)
        if getattr(array, "base", None) is not None or array is arrays[0]:
            owner = backend.owner(array)
            shared = [t._version for t in inputs if backend.owner(t._data) is owner]
            result._version = (*shared, result._version)[0]  # writing through a view changes its base as well
        if self.recording:
            result.requires_grad = True
            result.node = self
            self.order = next(_order)
            self.shape = array.shape
            self.input_shapes = tuple(a.shape for a in arrays)
            self._kept = {i: (inputs[i], inputs[i]._version, inputs[i]._version[0]) for i in self.keeps}
            if self.keeps_output:
                self._output = (array, result._version, result._version[0])
        return result

    def _check(self, arrays: list[Array]) -> None:
        first = arrays[0]
        kind, dtype = type(first), first.dtype
        if dtype.kind != "f" and not self.any_dtype:
            raise DTypeError(
                f"{self.name}: expected floating-point input, got {dtype}; convert with .astype('float32')"
            )
        for other in arrays[1:]:
            if type(other) is not kind:
                backend.same_device(arrays, self.name)
            if other.dtype != dtype:
                raise DTypeError(
                    f"{self.name}: inputs differ in dtype ({dtype} and {other.dtype}); convert with .astype"
                )

    def needs(self, i: int) -> bool:
        """Return whether anyone wants the gradient of input ``i``."""
        if self._wanted is not None:
            return self._wanted[i]
        return bool(self.parents) and self.parents[i] is not None

    def input(self, i: int) -> Tensor:
        """Return kept input ``i``; GraphError if it was changed in place since."""
        try:
            tensor, version, seen = self._kept[i]
        except KeyError:
            raise GraphError(f"{self.name}: backward reads input {i}, which `keeps` does not list") from None
        if tensor._version is not version or version[0] != seen:
            raise GraphError(
                f"{self.name}: input {i} (shape {tensor.shape}) was changed in place after the forward pass; "
                "run the forward pass again, or change a copy"
            )
        return tensor

    @property
    def output(self) -> Tensor:
        """The kept result as a Tensor on this node; GraphError if it was changed in place since."""
        assert self._output is not None, f"{self.name} reads its output but does not set keeps_output"
        array, version, seen = self._output
        if version[0] != seen:
            raise GraphError(
                f"{self.name}: its result was changed in place after the forward pass; change a copy"
            )
        result = Tensor._wrap(array)
        result._version, result.node, result.requires_grad = version, self, True
        return result

    def release(self) -> None:
        """Drop kept values and edges; a second backward then raises GraphError."""
        self._kept, self._output, self.parents, self.released = {}, None, (), True


def run_observed(phase: str, op: Op, function: Callable[..., Any], *args: Any) -> Any:
    """Call ``function`` and tell every observer the phase, op, result and seconds."""
    started = perf_counter()
    result = function(*args)
    seconds = perf_counter() - started
    for observer in tuple(observers):
        observer(phase, op, result, seconds)
    return result


def as_tensor(value: Any, like: Tensor | None = None) -> Tensor:
    """Return ``value`` as a Tensor; other than a Tensor it takes ``like``'s dtype and device."""
    if isinstance(value, Tensor):
        return value
    return Tensor(value) if like is None else Tensor._wrap(_constant(value, like))


def _constant(value: Any, like: Tensor) -> Array:
    if isinstance(value, (bool, int, float, np.generic, list, tuple)):
        return backend.of(like._data).from_host(np.asarray(value, dtype=like.dtype))
    array = backend.to_device(value, like.device) if type(value) is np.ndarray else value
    if type(array) not in backend._by_type or array.dtype.kind not in "fbiu":
        raise DTypeError(f"expected a tensor, an array or numbers, got {type(value).__name__}")
    return array.astype(like.dtype) if array.dtype.kind in "biu" else array
