"""`save` and `load`: nested dictionaries, lists and tuples of Tensors, arrays, numbers and text in one file.

The file is an ``.npz`` with digests (see `minigan.data.arrays`): every Tensor and array is a member, and the
manifest says in JSON how they are put together.  There None, bools, whole and finite numbers and text stand
for themselves; every other value is a table of one entry: {"tensor": number}, {"array": number},
{"scalar": number}, {"float": "nan"}, {"list": [...]}, {"tuple": [...]}, {"dict": [[key, value], ...]},
{"ordered": [[key, value], ...]}.
Nothing is pickled, and nothing in a file is ever run.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minigan import backend
from minigan.data.arrays import read_npz, write_npz
from minigan.data.weights import (
    Stored,
    as_it_is,
    kind_of,
    open_safetensors,
    open_torch_stream,
    open_torch_zip,
)
from minigan.data.weights.stored import itemsize
from minigan.data.zips import check_start
from minigan.errors import ArgumentError, DTypeError, FileError
from minigan.tensor import Tensor

KIND = "minigan-save"
VERSION = 1
DEEPEST = 100  # dictionaries and lists inside one another
_PLAIN = (bool, int, str, type(None))
_NO_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

Put = Callable[[np.ndarray], Tensor]


def save(obj: Any, f: str | os.PathLike | BinaryIO) -> None:
    """Write an object to a path (any suffix) or to a file open for writing, all or nothing.

    ``obj`` is made of dicts, OrderedDicts, lists, tuples, Tensors, Parameters, arrays, numbers, text, bools
    and None, as ``state_dict()`` of modules and optimisers are.  Number types, NaN and whole-number keys are
    kept; that a Tensor wants a gradient is not.  Raises ArgumentError for anything else inside (a whole
    module, for example), DTypeError for arrays of no numbers, FileError where it cannot be written; the old
    file then stays.
    """
    arrays: dict[str, np.ndarray] = {}
    facts = {"object": _encode(obj, arrays, "the object", 0)}
    try:
        write_npz(f, arrays, facts, kind=KIND, version=VERSION)
    except ValueError as error:
        raise ArgumentError(f"save: {error}") from error


def load(f: str | os.PathLike | BinaryIO, map_location: Any = None, weights_only: bool = True) -> Any:
    """Return what `save` wrote, or what is in PyTorch's ``.pth`` (both kinds) or in a ``.safetensors`` file.

    The content says what a file is, not its name.  Tensors come back as constants on ``map_location``: None
    for the current backend, or "numpy" ("cpu"), "cupy" ("cuda", "cuda:0"); PyTorch's bfloat16 as float32.
    ``weights_only`` is accepted: nothing in a file is run either way.  Raises FileError for a file that is
    missing, damaged, cut short, larger than the free memory, hostile, or of another kind.
    """
    put = _putter(map_location)
    if isinstance(f, (str, os.PathLike)):
        return _load(f, put)
    name = str(getattr(f, "name", f"<{type(f).__name__}>"))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        with open(copy, "wb") as file:
            try:
                shutil.copyfileobj(f, file)
            except (TypeError, AttributeError) as error:
                raise FileError(f"{name}: expected a path, or a file opened by open(path, 'rb')") from error
        try:
            return _load(copy, put)
        except FileError as error:
            raise FileError(str(error).replace(str(copy), name)) from None


def _putter(map_location: Any) -> Put:
    """What makes a Tensor of a host array, on the device that was asked for."""
    if map_location is None:
        device = backend.current().name
    elif callable(map_location):  # PyTorch's `lambda storage, location: storage`: stay on the host
        device = "numpy"
    else:
        kind = str(map_location).partition(":")[0]
        device = backend.get({"cpu": "numpy", "cuda": "cupy"}.get(kind, kind)).name
    return lambda array: Tensor._wrap(backend.to_device(array, device))


def _load(path: str | os.PathLike, put: Put) -> Any:
    check_start(path, b"", "a file of tensors")
    size, free = os.path.getsize(path), backend.free_host_memory()
    if free is not None and size > free:
        raise FileError(f"{path}: it has {size:,} bytes, more than the {free:,} of free memory")
    # Neither PyTorch nor `save` packs what it writes, so no sound file unpacks to more than its own size.
    kind = kind_of(path, limit_bytes=size)
    if kind == "npz":
        arrays, facts = read_npz(path, limit_bytes=size, kind=KIND, version=VERSION, finite=False)
        try:
            return _decode(facts["object"], arrays, put, 0)
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(
                f"{path}: its table of contents is not sound ({error}); use another copy"
            ) from error
    if kind == "safetensors":
        return {name: put(entry.read()) for name, entry in open_safetensors(path).items()}
    if kind == "torch zip":
        return _read(open_torch_zip(path, limit_bytes=size, keep=as_it_is), put, path, 8 * size)
    return _read(open_torch_stream(path, keep=as_it_is), put, path, 8 * size)


# ---- our own files ------------------------------------------------------------------------------------


def _encode(value: Any, arrays: dict[str, np.ndarray], where: str, depth: int) -> Any:
    """The JSON of a value; its arrays go into ``arrays``.  ``where`` names it in errors."""
    if depth > DEEPEST:
        raise ArgumentError(f"save: {where[:60]}... is {DEEPEST} levels deep; does it hold itself?")
    if type(value) in _PLAIN:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, Tensor):
        return {"tensor": _add(value.numpy(), arrays, where)}
    if isinstance(value, dict):
        pairs = [
            [
                _encode(key, arrays, f"a key of {where}", depth + 1),
                _encode(entry, arrays, f"{where}[{key!r:.40}]", depth + 1),
            ]
            for key, entry in value.items()
        ]
        return {"ordered" if isinstance(value, OrderedDict) else "dict": pairs}
    if isinstance(value, (list, tuple)):
        inside = [_encode(entry, arrays, f"{where}[{i}]", depth + 1) for i, entry in enumerate(value)]
        return {"list" if isinstance(value, list) else "tuple": inside}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.generic):
        return {"scalar": _add(np.asarray(value), arrays, where)}
    if isinstance(value, tuple(backend._by_type)):
        return {"array": _add(backend.to_host(value), arrays, where)}
    remedy = "save its state_dict()" if hasattr(value, "state_dict") else "save what it is made of"
    raise ArgumentError(
        f"save: {where} is a {type(value).__name__}, expected dictionaries, lists, Tensors, arrays, numbers "
        f"and text; {remedy}"
    )


def _add(array: np.ndarray, arrays: dict[str, np.ndarray], where: str) -> int:
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"save: {where} has dtype {array.dtype}, expected numbers")
    number = len(arrays)
    arrays[str(number)] = array
    return number


def _decode(node: Any, arrays: dict[str, np.ndarray], put: Put, depth: int) -> Any:
    """The value of a piece of JSON; KeyError, TypeError or ValueError where it is not of this form."""
    if depth > DEEPEST:
        raise ValueError("too deep")
    if type(node) in (*_PLAIN, float):
        return node
    if type(node) is not dict or len(node) != 1:
        raise ValueError(f"a {type(node).__name__} where one entry was expected")
    ((kind, inside),) = node.items()

    def value(entry: Any) -> Any:
        return _decode(entry, arrays, put, depth + 1)

    if kind == "list":
        return [value(entry) for entry in inside]
    if kind == "tuple":
        return tuple(value(entry) for entry in inside)
    if kind in ("dict", "ordered"):
        pairs = [(value(key), value(entry)) for key, entry in inside]
        return OrderedDict(pairs) if kind == "ordered" else dict(pairs)
    if kind == "tensor":
        return put(arrays[str(inside)])
    if kind == "array":
        return arrays[str(inside)]
    if kind == "scalar":
        return arrays[str(inside)][()]
    if kind == "float":
        return _NO_NUMBERS[inside]
    raise ValueError(f"{str(kind)[:20]!r} is nothing that can be stored")


# ---- PyTorch's files ----------------------------------------------------------------------------------


def _read(value: Any, put: Put, path: str | os.PathLike, most: int) -> Any:
    """The object of a PyTorch file with its arrays read; FileError for more than ``most`` bytes of them."""
    done: dict[int, Any] = {}  # what a file holds twice is read once
    taken = 0

    def walk(value: Any, depth: int) -> Any:
        nonlocal taken
        if type(value) in (*_PLAIN, float):
            return value
        if id(value) in done:
            return done[id(value)]
        if depth > DEEPEST:
            raise FileError(f"{path}: its object is {DEEPEST} levels deep; the file is not sound")
        if isinstance(value, Stored):
            taken += math.prod(value.shape) * itemsize(value.dtype)
            if taken > most:
                raise FileError(f"{path}: its tensors need more than {most:,} bytes; the file is not sound")
            found: Any = put(value.read())
        elif type(value) is dict:
            found = {key: walk(entry, depth + 1) for key, entry in value.items()}
        elif type(value) in (list, tuple):
            found = type(value)(walk(entry, depth + 1) for entry in value)
        else:
            raise FileError(
                f"{path}: it holds a {type(value).__name__} that is neither tensor, number nor text"
            )
        done[id(value)] = found
        return found

    return walk(value, 0)
