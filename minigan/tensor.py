"""Tensor and Op: a value that remembers how it was made, and the record of one operation.

A graph is Ops linked by ``parents``.  An edge leads to the Op that made an input, or to the leaf Tensor
itself, or is None where no gradient is wanted.  Edges do not hold values: an Op keeps only those inputs its
derivative reads (``keeps``), so everything else is freed as soon as the forward pass is done with it.

There is no arithmetic here; `minigan.ops` supplies it and installs the operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import DTypeError, GraphError, ShapeError
from minigan.modes import _modes, kernel_for, kernels, observers, run_observed

Edge: TypeAlias = Union["Op", "Tensor", None]

_order = count()
_new = object.__new__


if TYPE_CHECKING:
    from minigan.typed import Methods
else:
    Methods = object


class Tensor(Methods):
    """An array with a gradient: ``Tensor(data, requires_grad=False, dtype=None)``.

    ``data`` is a list of numbers (nested to any depth), which become the default dtype (float32), or an array
    of any shape, which keeps its type and is *not* copied, as with ``torch.from_numpy``.  Whole numbers are
    sizes: ``Tensor(2, 3)`` is there to be filled.  New arrays go to the current backend.  DTypeError for a
    gradient of integers; ArgumentError for a tuple of whole numbers, which might be values or sizes.
    """

    __slots__ = ("_data", "_version", "grad", "node", "requires_grad", "cache", "hooks", "__weakref__")
    __array_ufunc__ = None  # array * tensor comes to Tensor.__rmul__, not to a loop over elements

    def __init__(self, data: Any = (), *sizes: int, requires_grad: bool = False, dtype: Any = None):
        twin = data if isinstance(data, Tensor) else None
        data = data if twin is None else twin._data
        if not hasattr(data, "__array__") and not hasattr(data, "__cuda_array_interface__"):
            data = backend.new_array(data, sizes)
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
        self.hooks: list[Callable[[Tensor], Any]] | None = None
        if requires_grad:
            self.requires_grad_()

    @classmethod
    def _wrap(cls, array: Array) -> Tensor:
        """Make a constant from an array that is already on its device: no checks, no copy."""
        self: Tensor = _new(cls)
        self._data, self._version, self.requires_grad = array, [0], False
        self.grad = self.node = self.cache = self.hooks = None
        return self

    @property
    def array(self) -> Array:
        """The raw array.  Assigning replaces it and bumps the version; so does ``t.array += ...``."""
        return self._data

    @array.setter
    def array(self, array: Array) -> None:
        if array is self._data:
            self._version[0] += 1
        else:  # views and detached twins keep the old memory, and its version
            self._data, self._version = array, [self._version[0] + 1]

    @property
    def data(self) -> Tensor:
        """The value as a constant that shares this memory; what is assigned replaces the array."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        if isinstance(value, Tensor):
            self._data, self._version = value._data, value._version
        else:
            self.array = value

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

    shape: tuple[int, ...] = property(lambda self: self._data.shape, doc="Sizes of the axes.")  # type: ignore
    ndim: int = property(lambda self: self._data.ndim, doc="Number of axes.")  # type: ignore
    dtype: np.dtype = property(lambda self: self._data.dtype, doc="Number type of the elements.")  # type: ignore
    device: str = property(lambda self: backend.of(self._data).name, doc="Name of the backend.")  # type: ignore

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

    def move(self, device: str) -> Tensor:
        """Return this tensor on "numpy" or "cupy" (itself when there); the result is a leaf."""
        if device == self.device:
            return self
        if self.node is not None and self.requires_grad:
            raise GraphError("moving a recorded result would cut its graph; call .detach() first")
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

    def __float__(self) -> float:
        return float(self.item())

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
    promotes = False  # True for operations that take whole numbers as the default dtype
    exact = False  # True for operations that round nothing; all others compute float16 as float32
    saved: Any = None  # what forward leaves for backward besides inputs and result; dropped with the graph
    given: Sequence[Tensor] = ()  # the inputs, while a kernel runs
    hooks: list[Callable[[Tensor], Any]] | None = None

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
        try:
            arrays = [t._data for t in inputs]
        except AttributeError:
            kinds = ", ".join(type(t).__name__ for t in inputs)
            raise DTypeError(f"{self.name}: expected Tensors, got {kinds}; wrap it: Tensor(batch)") from None
        if backend.whole_numbers_to_promote(arrays, type(self)):
            return self(*[t.astype(backend.get_default_dtype()) for t in inputs])
        if not self.exact and arrays[0].dtype.char == "e":
            return self(*[t.astype(np.float32) for t in inputs]).astype(np.float16)  # see ops/half.py
        if _modes.recording and True in [t.requires_grad for t in inputs]:
            self.recording = True
            self.parents = tuple([(t.node or t) if t.requires_grad else None for t in inputs])
        if observers:
            array = run_observed("forward", self, self._compute, inputs, arrays)
        else:
            array = self._compute(inputs, arrays)
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
            self.input_shapes = tuple([a.shape for a in arrays])
            self._kept = {i: (inputs[i], inputs[i]._version, inputs[i]._version[0]) for i in self.keeps}
            if self.keeps_output:
                self._output = (array, result._version, result._version[0])
        return result

    def _compute(self, inputs: Sequence[Tensor], arrays: Sequence[Array]) -> Array:
        """Forward, by a kernel where one is registered and takes these arrays, else by definition."""
        array = NotImplemented
        kernel = kernels[type(self), "forward", type(arrays[0])] if _modes.kernels else None
        if kernel is not None:
            self.given = inputs
            array = kernel(self, *arrays)
            self.given = ()
        if array is NotImplemented:
            array = self.forward(*arrays)
        return array if type(array) is type(arrays[0]) else _array(array)

    def differentiate(self, g: Tensor) -> Any:
        """Backward, by a kernel where nothing is recorded and one takes this, else by definition."""
        if not _modes.recording:
            if (kernel := kernel_for(type(self), "derivative", g._data)) is not None:
                found = kernel(self, g._data)
                if found is not NotImplemented:
                    parts = found if type(found) is tuple else (found,)
                    return tuple([None if part is None else Tensor._wrap(_array(part)) for part in parts])
        return self.backward(g)

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
        self._kept, self._output, self.saved, self.parents, self.released = {}, None, None, (), True


def _array(value: Array) -> Array:
    """An array without axes again of what NumPy made a number of."""
    return np.asarray(value) if isinstance(value, np.generic) else value
