"""Which function stands in for which definition, by operation and device.

A kernel works on raw arrays and gives what the definition gives, faster:

    @kernel(LeakyRelu, "numpy")                     forward(op, *arrays) -> array
    @kernel(LeakyRelu, "numpy", does="derivative")  first derivative: (op, g) -> array, or a tuple of arrays
                                                    or Nones, one an input
    @kernel(Adam, "numpy", does="step")             an optimiser's: (optimizer, group, parameters); the last
                                                    argument is a list of Tensors

A device is "numpy", "cuda" (a GPU that runs the kernels of minigan/kernels/cuda, on float32 or float64) or
"gpu" (every device but NumPy).  A kernel that does not take what it is given returns NotImplemented, and the
definition runs.  What a forward kernel leaves for its derivative lies in ``op.saved``; a derivative must cope
with a forward that ran by definition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError
from minigan.kernels import cuda
from minigan.modes import kernels

DEVICES, DOES = ("numpy", "cuda", "gpu"), ("forward", "derivative", "step")

K = TypeVar("K", bound=Callable[..., Any])
_registered: dict[tuple[type, str], dict[str, Callable[..., Any]]] = {}


def kernel(kind: type, device: str, *, does: str = "forward") -> Callable[[K], K]:
    """Decorator: let the function stand in for ``kind`` on ``device``; ArgumentError if another does."""
    if device not in DEVICES or does not in DOES:
        raise ArgumentError(f"kernel: expected a device of {DEVICES} and one of {DOES}, got {device}, {does}")

    def register(function: K) -> K:
        here = _registered.setdefault((kind, does), {})
        if device in here:
            raise ArgumentError(f"kernel: {kind.__name__} has a {does} kernel on {device} already")
        here[device] = function
        kernels.clear()
        return function

    return register


def registered() -> dict[tuple[type, str], dict[str, Callable[..., Any]]]:
    """Return {(class, what it does): {device: function}}."""
    return {key: dict(found) for key, found in _registered.items()}


def find(kind: type, does: str, array_type: type) -> Callable[..., Any] | None:
    """Return what stands in for a definition on arrays of a type, or None."""
    here = _registered.get((kind, does))
    if here is None:
        return None
    if array_type is np.ndarray:
        return here.get("numpy")
    known = [name for name in ("cuda", "gpu") if name in here]
    if not known or array_type not in backend._by_type:
        return None

    def on_gpu(what: Any, *arguments: Any) -> Any:
        like = arguments[-1][0].array if does == "step" else arguments[0]
        for name in known:
            if name == "cuda" and not cuda.available(like):
                continue
            found = here[name](what, *arguments)
            if found is not NotImplemented:
                return found
        return NotImplemented

    return on_gpu
