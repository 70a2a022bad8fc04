"""A small pool of threads for memory-bound array passes.

NumPy's element-wise functions release the interpreter lock, so two threads that each go through their own
chunks halve the time of a pass that waits for memory.  Matrix products need no help: BLAS has threads of its
own, and must be called from one thread only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from minigan.errors import ArgumentError

_threads = 0  # 0: not asked for yet
_pool: Any = None


def threads() -> int:
    """Return how many threads passes may use.

    What `set_threads` said, else MINIGAN_THREADS, else OMP_NUM_THREADS, else one for each processor.  The
    environment is read once.
    """
    if not _threads:
        set_threads(_wanted())
    return _threads


def _wanted() -> int:
    for name in ("MINIGAN_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdigit():
            return max(1, int(os.environ[name]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count: int) -> None:
    """Use ``count`` threads from now on (1: all passes run in the caller's); ArgumentError below 1."""
    global _threads
    if count < 1:
        raise ArgumentError(f"set_threads: expected at least 1, got {count}")
    if count != _threads:
        _forget()
    _threads = count


def _workers() -> Any:
    """Return the pool, made when first needed; this thread works too, so it holds one fewer."""
    global _pool
    if _pool is None:
        from concurrent.futures import ThreadPoolExecutor  # not at the top: importing minigan stays light

        _pool = ThreadPoolExecutor(max(1, threads() - 1), "minigan")
    return _pool


def _forget() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a forked child has the pool's object but not its threads


def run(jobs: Sequence[Callable[[], Any]]) -> None:
    """Call every job, in this thread and the pool's; return when all are done.

    Jobs must write to places of their own; then the result does not depend on who ran what when.  The first
    error of a job is raised here.
    """
    helpers = min(threads(), len(jobs)) - 1
    if helpers < 1:
        for job in jobs:
            job()
        return
    waiting = iter(jobs)  # next() on a tuple's iterator is atomic, so threads share it

    def work() -> None:
        for job in waiting:
            job()

    others = [_workers().submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        for other in others:
            other.result()
