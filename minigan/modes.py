"""What this thread does: record operations or not, let kernels stand in for definitions or not; who watches.

`kernels` is the table of the functions that may stand in.  It is empty until `minigan.kernels` is loaded, and
the library is the same without.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeAlias

from minigan.backend import Array


class _Modes(threading.local):
    recording = True  # whether operations are recorded
    kernels = True  # whether kernels stand in for definitions


_modes = _Modes()


@contextmanager
def set_mode(name: str, value: bool) -> Iterator[None]:
    """Set "recording" or "kernels" for this thread inside a ``with`` block."""
    before = getattr(_modes, name)
    setattr(_modes, name, value)
    try:
        yield
    finally:
        setattr(_modes, name, before)


def use_kernels_by_default(wanted: bool) -> None:
    """Say whether kernels stand in for definitions from now on, unless `set_mode` says otherwise."""
    _Modes.kernels = _modes.kernels = wanted


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded in this thread."""
    return _modes.recording


def no_grad() -> Any:
    """Context manager (or decorator) inside which no operation is recorded."""
    return set_mode("recording", False)


def inference_mode(mode: bool = True) -> Any:
    """Context manager (or decorator) like `no_grad`: results here can always be recorded later on."""
    return set_mode("recording", not mode and _modes.recording)


def enable_grad() -> Any:
    """Context manager (or decorator) that records again inside `no_grad`."""
    return set_mode("recording", True)


class Kernels(dict):
    """(class, what it does, type of array) -> the function that stands in for its definition, or None.

    What an Op does is "forward" or "derivative"; optimisers and averages have a "step".  ``find`` says what
    is registered; answers are kept.
    """

    find: Callable[[type, str, type], Callable[..., Any] | None] = staticmethod(lambda *key: None)

    def __missing__(self, key: tuple[type, str, type]) -> Callable[..., Any] | None:
        self[key] = found = self.find(*key)
        return found


kernels = Kernels()


def kernel_for(kind: type, does: str, array: Array) -> Callable[..., Any] | None:
    """Return what stands in for a definition on the device of ``array``, where kernels are on."""
    return kernels[kind, does, type(array)] if _modes.kernels else None


Observer: TypeAlias = Callable[[str, Any, Any, float], None]
observers: list[Observer] = []  # called as observer(phase, op, array, seconds); see autograd.observe


def run_observed(phase: str, op: Any, function: Callable[..., Any], *args: Any) -> Any:
    """Call ``function`` and tell every observer the phase, op, result and seconds."""
    started = perf_counter()
    result = function(*args)
    seconds = perf_counter() - started
    for observer in tuple(observers):
        observer(phase, op, result, seconds)
    return result


class set_grad_enabled:
    """Record operations, or not, from now on; as a context manager only inside the block."""

    def __init__(self, mode: bool):
        self.before = _modes.recording
        _modes.recording = bool(mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        _modes.recording = self.before
