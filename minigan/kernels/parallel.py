"""A small pool of threads for memory-bound array passes.

NumPy's element-wise functions release the interpreter lock, so two threads that each go through their own
chunks halve the time of a pass that waits for memory.  Matrix products need no help: BLAS has threads of its
own, and must be called from one thread only.

Helpers sleep between runs, so what counts is how soon they are back.  Two locks a helper wake it in half the
time of a queue.  And nobody may wake up on the other's processor: a virtual machine takes a processor that
sleeps for one that is busy, wakes a thread where the thread runs that calls it, and both share that processor
until the system notices.  So for the time of a run the caller stays on its processor, and the helpers keep
off it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, shown

_threads = 0  # 0: not asked for yet
_helpers: list[_Helper] = []
_busy = threading.Lock()  # held by the caller whom the helpers work for
_apart_from = -1  # the processor that the helpers keep off


def threads() -> int:
    """Return how many threads passes may use.

    What `set_threads` said, else MINIGAN_THREADS, else OMP_NUM_THREADS where it is a plain number, else one
    for each processor.  The environment is read once.  Raises ArgumentError for MINIGAN_THREADS without a
    number.
    """
    if not _threads:
        set_threads(_wanted())
    return _threads


def _wanted() -> int:
    for name in ("MINIGAN_THREADS", "OMP_NUM_THREADS"):
        word = os.environ.get(name, "").strip()
        if word.isdecimal() and len(word) < 10:
            return max(1, int(word))
        if word and name == "MINIGAN_THREADS":  # the other one is not ours: it may be a list
            raise ArgumentError(f"{name}: expected a whole number of threads, got {shown(word)}")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count: int) -> None:
    """Use ``count`` threads from now on (1: all passes run in the caller's); ArgumentError below 1."""
    global _threads
    if count < 1:
        raise ArgumentError(f"set_threads: expected at least 1, got {count}")
    _threads = count


class _Helper:
    """A thread that sleeps until it is given something to do."""

    def __init__(self) -> None:
        self.begin, self.done = threading.Lock(), threading.Lock()
        self.begin.acquire()
        self.done.acquire()
        self.work: Callable[[], None] = lambda: None
        self.error: BaseException | None = None
        thread = threading.Thread(target=self.serve, name="minigan", daemon=True)
        thread.start()
        self.number = thread.native_id or 0

    def serve(self) -> None:
        """Work whenever told to, and say so."""
        while True:
            self.begin.acquire()
            try:
                self.work()
            except BaseException as error:  # raised again in the caller
                self.error = error
            self.done.release()

    def start(self, work: Callable[[], None]) -> None:
        """Begin ``work`` and return at once."""
        self.work = work
        self.begin.release()

    def wait(self) -> BaseException | None:
        """Return when the work is done: its error, if there was one."""
        interrupt: BaseException | None = None
        while True:
            try:
                self.done.acquire()
                break
            except KeyboardInterrupt as stop:  # the work goes on writing to its arrays: wait all the same
                interrupt = stop
        error, self.error = interrupt or self.error, None
        self.work = lambda: None
        return error


def _forget() -> None:
    global _helpers, _busy, _apart_from
    _helpers, _busy, _apart_from = [], threading.Lock(), -1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a forked child has the helpers' objects but not the threads


@cache
def _current_processor() -> Callable[[], int]:
    """Return a function that tells which processor its thread runs on: -1 where nothing can tell."""
    try:
        from ctypes import CDLL  # not at the top: importing minigan stays light

        return CDLL(None).sched_getcpu
    except (ImportError, OSError, TypeError, AttributeError):
        return lambda: -1


def _get_ready(count: int) -> set[int]:
    """Make sure of ``count`` helpers, none on the caller's processor, and of the caller's staying there.

    Returns the processors that the caller may use again afterwards; none where that cannot be said.
    """
    global _apart_from
    here = _current_processor()()
    known = here == _apart_from and len(_helpers) >= count
    while len(_helpers) < count:
        _helpers.append(_Helper())
    if here < 0 or not hasattr(os, "sched_setaffinity"):
        return set()
    allowed = os.sched_getaffinity(0)
    if here not in allowed or len(allowed) == 1:
        return set()
    try:
        if not known:
            others = sorted(allowed - {here})
            for i, helper in enumerate(_helpers):
                os.sched_setaffinity(helper.number, others[i :: len(_helpers)] or others)
            _apart_from = here
        os.sched_setaffinity(0, {here})
    except OSError:  # the processors were taken away meanwhile
        return set()
    return allowed


WORTH = 8 << 20  # bytes of an array from which a second thread pays for a few element-wise passes
PART = 1 << 20  # bytes of an array that a job goes through


def over(function: Callable[..., Any], *arrays: Any) -> None:
    """Call ``function(*parts)`` on matching parts of arrays of one shape, on all threads if they are large.

    For element-wise passes that write into the last of the arrays.  Parts are slices along the axis that is
    slowest in the first array's memory, so of arrays in one memory order each part is a run of memory.
    """
    first = arrays[0]
    if first.nbytes < WORTH or type(first) is not np.ndarray or threads() == 1:
        function(*arrays)
        return
    axis = max(range(first.ndim), key=lambda i: abs(first.strides[i]) if first.shape[i] > 1 else -1)
    size, count = first.shape[axis], threads() * -(-first.nbytes // (threads() * PART))
    count = min(size, count)
    before = (slice(None),) * axis
    parts = [(*before, slice(size * k // count, size * (k + 1) // count)) for k in range(count)]
    run([partial(function, *(array[part] for array in arrays)) for part in parts])


def apart(work: Callable[[Any], None], image: Any, *, channels: bool = False) -> None:
    """Call ``work`` with indices that cut an (N, C, ...) array into samples, or into channels if N is small.

    On all threads if the array is large, else once with an index that takes it whole.  To cut ``channels``
    makes runs of memory shorter, and only pays for many passes.
    """
    few = len(image) < threads() and not channels
    if type(image) is not np.ndarray or image.nbytes < 2 * PART or threads() == 1 or few:
        work(slice(None))
        return
    axis = 0 if len(image) >= threads() else 1
    count = threads() * (-(-image.nbytes // (threads() * PART)) if axis == 0 else 1)
    size, before = image.shape[axis], (slice(None),) * axis
    count = min(size, count)
    parts = [(*before, slice(size * k // count, size * (k + 1) // count)) for k in range(count)]
    run([partial(work, part) for part in parts])


def run(jobs: Sequence[Callable[[], Any]]) -> None:
    """Call every job, in this thread and the helpers'; return when all are done.

    Jobs must write to places of their own; then the result does not depend on who ran what when.  The first
    error of a job is raised here.  While the helpers are busy with another caller's jobs (or with the
    one that this call is part of), the caller does all of its own.
    """
    count = min(threads(), len(jobs)) - 1
    if count < 1 or not _busy.acquire(blocking=False):
        for job in jobs:
            job()
        return
    allowed: set[int] = set()
    try:
        allowed = _get_ready(count)
        waiting = iter(jobs)  # next() on a tuple's iterator is atomic, so threads share it

        def work() -> None:
            for job in waiting:
                job()

        helpers = _helpers[:count]
        for helper in helpers:
            helper.start(work)
        try:
            work()
        finally:
            errors = [helper.wait() for helper in helpers]
        for error in errors:
            if error is not None:
                raise error
    finally:
        if allowed:
            with suppress(OSError):
                os.sched_setaffinity(0, allowed)
        _busy.release()
