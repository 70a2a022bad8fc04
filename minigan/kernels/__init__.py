"""Kernels: the same numbers as the definitions in `minigan.ops` and `minigan.optim`, faster.

This room may be deleted: everything then runs by definition, slowly.  `registry` says how a kernel stands in
for a definition.  ``conv`` holds the convolution algorithms and the choice among them, ``host`` what runs on
NumPy's arrays, ``cuda`` what runs on a GPU; `blas`, `parallel`, `memory` and `workspace` are what they use.

    with kernels.off(): ...               everything by definition; so do MINIGAN_KERNELS=off in the
                                          environment and --kernels off on the command line
    kernels.explain(function, *inputs)    which kernel ran for what, and the definition's time beside its own
"""

import os
import warnings

from minigan import modes
from minigan.errors import ArgumentError, truth
from minigan.kernels import registry
from minigan.kernels.memory import keep_freed
from minigan.kernels.registry import kernel
from minigan.modes import set_mode, use_kernels_by_default

__all__ = ["enabled", "explain", "kernel", "off", "on", "use_kernels_by_default"]


def off():
    """Context manager (or decorator) inside which this thread computes everything by definition."""
    return set_mode("kernels", False)


def on():
    """Context manager (or decorator) that lets kernels stand in again inside `off`."""
    return set_mode("kernels", True)


def enabled() -> bool:
    """Return whether kernels stand in for definitions in this thread."""
    return modes._modes.kernels


def explain(function, *inputs):
    """Run ``function(*inputs)`` and return, as text, a line for every operation: see `kernels.trace`."""
    from minigan.kernels.trace import explain

    return explain(function, *inputs)


def _from_environment() -> None:
    try:
        use_kernels_by_default(truth("MINIGAN_KERNELS", os.environ.get("MINIGAN_KERNELS") or "on"))
    except ArgumentError as error:  # while minigan is imported nobody could catch it
        warnings.warn(f"{error}; kernels stay on", stacklevel=2)


def _load() -> None:
    """Import every room that registers kernels, and let the engine find them."""
    from minigan.kernels import conv, gpu, host, products  # noqa: F401
    from minigan.kernels.cuda import ops  # noqa: F401

    modes.kernels.find = registry.find
    modes.kernels.clear()
    keep_freed()
    _from_environment()


_load()
