"""Weights people already have, from files that are not trusted.

:func:`load_weights` reads ``.npz`` (never a pickle), ``.safetensors`` and both kinds of PyTorch's ``.pth``,
decides by content rather than by name which it is, and runs nothing that the file holds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from minigan.data.arrays import check_finite, compare, read_npz
from minigan.data.weights import Stored, kind_of, open_safetensors, open_torch_stream, open_torch_zip
from minigan.errors import ArgumentError, FileError
from minigan.style.weights.tables import ARCHITECTURES, Architecture, layer_name, own_name

__all__ = ["ARCHITECTURES", "architecture", "layer_name", "load_weights"]


def architecture(name: str) -> Architecture:
    """The table of a network: "vgg16", "vgg19" or "squeezenet1_1". Raises ArgumentError."""
    if name not in ARCHITECTURES:
        raise ArgumentError(f"network {name!r}: expected one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def load_weights(path: str | os.PathLike, name: str) -> dict[str, np.ndarray]:
    """Read the convolution weights of network ``name`` from a file.

    Returns our names (``conv1_1.weight``, (O, C, KH, KW)) -> float32 arrays. What else is in the file (a
    classifier, an optimiser's state) is passed over unread; a parameter under two names is refused.
    Everything missing (then also what is unknown) or of another shape is listed in one FileError, before any
    array is read; NaN and infinity are refused by name.
    """
    table = architecture(name)
    found = open_weights(path, table)
    named: dict[str, Stored] = {}
    others: dict[str, Stored] = {}
    spelt: dict[str, str] = {}
    for stored_name, entry in found.items():
        ours = own_name(table, stored_name)
        if ours is None:
            others[stored_name] = entry
            continue
        if ours in named:
            raise FileError(
                f"{path}: {ours!r} occurs twice, under two spellings: {spelt[ours]!r} and {stored_name!r}; "
                "save one network alone"
            )
        named[ours], spelt[ours] = entry, stored_name
    whole = named.keys() >= table.parameters.keys()
    # A convolution that another network has says that the file is that network's.
    foreign = {key for key in others if any(own_name(other, key) for other in ARCHITECTURES.values())}
    named |= {key: others[key] for key in foreign}
    if not whole:  # what is unknown may be what is missing, misspelt
        named |= {key: entry for key, entry in others.items() if "classifier." not in key}
    compare(
        {key: entry.shape for key, entry in named.items()},
        {key: shape for key, (_, shape) in table.parameters.items()},
        f"{path} as {name}",
    )
    arrays = {}
    for key in table.parameters:
        array = named[key].read()
        if array.dtype.kind != "f":
            raise FileError(f"{path}: array {key!r} has dtype {array.dtype}, expected floating point")
        check_finite(key, array, path)
        arrays[key] = np.ascontiguousarray(array, np.float32)
    return arrays


def open_weights(path: str | os.PathLike, table: Architecture) -> Mapping[str, Stored]:
    """Names, shapes and readers of all a file holds, whatever its kind. Raises FileError."""
    limit = 32 * table.most_elements + (1 << 20)  # float64 of all, with an optimiser's moments and an average
    kind = kind_of(path, limit_bytes=limit)
    if kind == "torch stream":
        return open_torch_stream(path)
    if kind == "torch zip":
        return open_torch_zip(path, limit_bytes=limit)
    if kind == "safetensors":
        return open_safetensors(path)
    arrays, _ = read_npz(path, limit_bytes=limit, only=lambda key: own_name(table, key) is not None)
    return {
        key: Stored(array.shape, array.dtype.str, lambda array=array: array)  # type: ignore[misc]
        for key, array in arrays.items()
    }
