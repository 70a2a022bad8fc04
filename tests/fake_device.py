"""A device that is not there: NumPy arrays which refuse what CuPy arrays refuse, and what would stall a GPU.

A `FakeArray` does not mix with plain NumPy arrays, is not accepted by `np.function(...)` (only by the
functions of its own namespace) and has no truth value, float or int: those would wait for the GPU.  An
operation that runs here runs on arrays of its input's module only.  Nothing is shared with the host: what
comes and what goes is copied, and `np.asarray` and its kin refuse a device array (see `guarded`).

`watch()` counts what a GPU would do: launches by name, copies from the host, and waits for the device
(`.item()`, a copy to the host); and names the reductions that CuPy would run on a block or two.
"""

from collections import Counter
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from minigan import backend


class Watch:
    """What happened on the device: `launches`, `uploads` and `waits` by name, `slow` reductions by shape.

    ``calls`` are the functions that were called: (path of the name, number of arguments, names of keywords).
    """

    def __init__(self):
        self.launches, self.uploads, self.waits, self.slow = Counter(), Counter(), Counter(), Counter()
        self.calls = set()

    def reduction(self, name, array, result):
        """CuPy's reductions make a block of 512 threads for each 32 results: few results, few blocks.

        Only a sum of everything in C or Fortran order goes to CUB, which uses the whole GPU.
        """
        whole = result.size == 1 and (array.flags.c_contiguous or array.flags.f_contiguous)
        if array.size >= FEW_BLOCKS and result.size < 1024 and not whole:
            self.slow[f"{name} {array.shape} -> {result.shape}"] += 1


FEW_BLOCKS = 1 << 16  # numbers to reduce from which on one block or a few take longer than a launch
_watches = []


@contextmanager
def watch():
    """Yield a `Watch` of what happens inside the block."""
    _watches.append(Watch())
    try:
        yield _watches[-1]
    finally:
        _watches.pop()


def note(kind, name):
    """Count something in every watch; the tests' kernels do."""
    for one in _watches:
        getattr(one, kind)[name] += 1


# What only looks at memory, or takes some: no launch.
VIEWS = {
    "reshape", "transpose", "moveaxis", "swapaxes", "expand_dims", "squeeze", "broadcast_to", "as_strided",
    "empty", "empty_like", "ravel", "sliding_window_view", "atleast_1d", "result_type", "broadcast_arrays",
    "can_cast", "promote_types", "issubdtype", "broadcast_shapes", "split", "array_split", "dtype", "shape",
}  # fmt: skip
COPIES_IF_MUST = {"asarray", "ascontiguousarray", "reshape", "ravel", "astype"}
REDUCTIONS = {"sum", "mean", "var", "std", "max", "min", "prod", "all", "any", "amax", "amin"}


def _count_call(name, args, result):
    if not _watches:
        return
    given = next((a for a in args if isinstance(a, FakeArray)), None)
    first = result[0] if isinstance(result, (tuple, list)) and result else result
    if name in COPIES_IF_MUST and given is not None and isinstance(first, np.ndarray):
        if not np.shares_memory(_plain(given), first):
            note("launches", f"copy ({name})")
    elif name not in VIEWS and isinstance(first, (np.ndarray, np.generic)):
        note("launches", name)
        if name in REDUCTIONS and given is not None:
            for one in _watches:
                one.reduction(name, _plain(given), first)


class FakeArray(np.ndarray):
    """Memory of the fake device."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        _refuse_plain([*inputs, *(out or ()), *kwargs.values()], ufunc.__name__)
        if out is not None:
            kwargs["out"] = tuple(_plain(array) for array in out)
        elif method == "__call__":
            kwargs["order"] = "C"  # CuPy writes C order whatever the inputs' order
        result = getattr(ufunc, method)(*(_plain(array) for array in inputs), **kwargs)
        note("launches", ufunc.__name__)
        if out is not None and method != "at":
            return out[0] if len(out) == 1 else out
        return _fake(result)

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"numpy.{function.__name__} called on an array of another device; use namespace(x)")

    def __pow__(self, exponent):
        return np.power(self, exponent)  # NumPy 2.2 asks an exponent without axes for its number

    def __getitem__(self, index):
        found = _plain(self)[_plain(index)]
        if _watches and found.size and not np.shares_memory(_plain(self), found):
            note("launches", "getitem")
        return _fake(found)

    def __setitem__(self, index, value):
        _refuse_plain([value], "assignment")
        note("launches", "setitem")
        _plain(self)[_plain(index)] = _plain(value)

    def _method(name):
        def call(self, *args, **kwargs):
            if more := kwargs.keys() - {"axis", "keepdims", "dtype", "out", "ddof"}:
                raise TypeError(f"{name}: CuPy's method has no {', '.join(sorted(more))}")
            _refuse_plain([*args, *kwargs.values()], name)
            result = getattr(_plain(self), name)(*_plain(args), **_plain(kwargs))
            _count_call(name, [self], result)
            return _fake(result)

        return call

    def _plain_method(name):
        def call(self, *args, **kwargs):
            result = getattr(_plain(self), name)(*_plain(args), **kwargs)
            _count_call(name, [self], result)
            return _fake(result)

        return call

    for _name in ("copy", "astype", "reshape", "ravel", "fill"):
        vars()[_name] = _plain_method(_name)

    def item(self, *args):
        note("waits", "item")
        return _plain(self).item(*args)

    def tolist(self):
        note("waits", "tolist")
        return _plain(self).tolist()

    for _name in ("sum", "mean", "var", "std", "max", "min", "argmax", "argmin", "all", "any", "prod", "dot"):
        vars()[_name] = _method(_name)
    for _name in ("cumsum", "take", "repeat", "clip", "round", "trace", "nonzero", "argsort", "choose"):
        vars()[_name] = _method(_name)
    del _method, _plain_method, _name

    def _stall(self, *_):
        raise TypeError(
            "a number asked of a device array: this would wait for the device; use where or .item()"
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _stall


def _plain(value):
    """The same with every FakeArray, in lists and dictionaries too, as a plain array."""
    if isinstance(value, FakeArray):
        return value.view(np.ndarray)
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(part) for part in value)
    return {key: _plain(part) for key, part in value.items()} if isinstance(value, dict) else value


def _fake(value):
    """The same with every array, and every NumPy number, on the fake device."""
    if isinstance(value, (tuple, list)):
        return type(value)(_fake(part) for part in value)
    return _NUMPY["asarray"](value).view(FakeArray) if isinstance(value, (np.ndarray, np.generic)) else value


def _refuse_plain(values, where):
    for value in values:
        if isinstance(value, (tuple, list)):
            _refuse_plain(value, where)
        elif isinstance(value, np.ndarray) and not isinstance(value, FakeArray):
            raise TypeError(f"{where}: a NumPy array of shape {value.shape} met an array of another device")


class Namespace:
    """`numpy`, but every array it makes lives on the fake device, and it takes only such arrays."""

    def __init__(self, module, path=""):
        self._module, self._path = module, path

    def __getattr__(self, name):
        found = _NUMPY.get(name) if self._module is np and name in _NUMPY else getattr(self._module, name)
        if isinstance(found, ModuleType):
            return Namespace(found, f"{self._path}{name}.")
        if isinstance(found, (type, np.ufunc)) or not callable(found):
            return found

        def call(*args, **kwargs):
            for one in _watches:
                one.calls.add((self._path + name, len(args), tuple(sorted(kwargs))))
            if name not in ("array", "asarray", "ascontiguousarray"):
                _refuse_plain([*args, *kwargs.values()], name)
            elif args and isinstance(args[0], np.ndarray) and not isinstance(args[0], FakeArray):
                note("uploads", name)
            result = found(*_plain(args), **_plain(kwargs))
            _count_call(name, args, result)
            return _fake(result)

        return call


class Guard:
    """Stands in for a function of NumPy that takes whatever it gets: a device array is a mistake."""

    def __init__(self, function):
        self.function = function

    def __call__(self, value, *args, **kwargs):
        if isinstance(value, FakeArray):
            raise TypeError(f"numpy.{self.function.__name__} called on an array of another device")
        return self.function(value, *args, **kwargs)


def guarded(monkeypatch):
    """Let `np.asarray` and its kin refuse device arrays, as CuPy's `__array__` does."""
    for name in ("asarray", "array", "ascontiguousarray", "asanyarray"):
        monkeypatch.setattr(np, name, Guard(getattr(np, name)))


_NUMPY = {name: getattr(np, name) for name in ("asarray", "array", "ascontiguousarray")}


def _from_host(array):
    note("uploads", "from_host")
    return _NUMPY["array"](array, order="K").view(FakeArray)


def _to_host(array):
    note("waits", "to_host")
    return _NUMPY["array"](array.view(np.ndarray), order="K")


def install():
    """Register the backend "fake"."""
    backend.register(
        backend.Backend(
            "fake",
            Namespace(np),
            FakeArray,
            _from_host,
            _to_host,
            lambda: None,
        )
    )
