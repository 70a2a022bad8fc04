"""A device that is not there: NumPy arrays which refuse what CuPy arrays refuse, and what would stall a GPU.

A `FakeArray` does not mix with plain NumPy arrays, is not accepted by `np.function(...)` (only by the
functions of its own namespace) and has no truth value, float or int: those would wait for the GPU.  An
operation that runs here runs on arrays of its input's module only.
"""

from types import ModuleType

import numpy as np

from minigan import backend


class FakeArray(np.ndarray):
    """Memory of the fake device."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        _refuse_plain([*inputs, *(out or ()), *kwargs.values()], ufunc.__name__)
        if out is not None:
            kwargs["out"] = tuple(_plain(array) for array in out)
        elif method == "__call__":
            kwargs["order"] = "C"  # CuPy writes C order whatever the inputs' order
        result = getattr(ufunc, method)(*(_plain(array) for array in inputs), **kwargs)
        if out is not None and method != "at":
            return out[0] if len(out) == 1 else out
        return _fake(result)

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"numpy.{function.__name__} called on an array of another device; use namespace(x)")

    def __pow__(self, exponent):
        return np.power(self, exponent)  # NumPy 2.2 asks an exponent without axes for its number

    def __getitem__(self, index):
        return _fake(_plain(self)[_plain(index)])

    def __setitem__(self, index, value):
        _refuse_plain([value], "assignment")
        _plain(self)[_plain(index)] = _plain(value)

    def _method(name):
        def call(self, *args, **kwargs):
            if more := kwargs.keys() - {"axis", "keepdims", "dtype", "out", "ddof"}:
                raise TypeError(f"{name}: CuPy's method has no {', '.join(sorted(more))}")
            _refuse_plain([*args, *kwargs.values()], name)
            return _fake(getattr(_plain(self), name)(*_plain(args), **_plain(kwargs)))

        return call

    for _name in ("sum", "mean", "var", "std", "max", "min", "argmax", "argmin", "all", "any", "prod", "dot"):
        vars()[_name] = _method(_name)
    for _name in ("cumsum", "take", "repeat", "clip", "round", "trace", "nonzero", "argsort", "choose"):
        vars()[_name] = _method(_name)
    del _method, _name

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
    return np.asarray(value).view(FakeArray) if isinstance(value, (np.ndarray, np.generic)) else value


def _refuse_plain(values, where):
    for value in values:
        if isinstance(value, (tuple, list)):
            _refuse_plain(value, where)
        elif isinstance(value, np.ndarray) and not isinstance(value, FakeArray):
            raise TypeError(f"{where}: a NumPy array of shape {value.shape} met an array of another device")


class Namespace:
    """`numpy`, but every array it makes lives on the fake device, and it takes only such arrays."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        found = getattr(self._module, name)
        if isinstance(found, ModuleType):
            return Namespace(found)
        if isinstance(found, (type, np.ufunc)) or not callable(found):
            return found

        def call(*args, **kwargs):
            if name not in ("array", "asarray", "ascontiguousarray"):
                _refuse_plain([*args, *kwargs.values()], name)
            return _fake(found(*_plain(args), **_plain(kwargs)))

        return call


def install():
    """Register the backend "fake"."""
    backend.register(
        backend.Backend(
            "fake",
            Namespace(np),
            FakeArray,
            lambda array: np.asarray(array).view(FakeArray),
            lambda array: array.view(np.ndarray),
            lambda: None,
        )
    )
