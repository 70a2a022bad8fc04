"""The pool of threads: every job once, errors raised, and forks."""

import multiprocessing
import os
import threading
import warnings
from contextlib import nullcontext

import numpy as np
import pytest

from minigan.errors import ArgumentError
from minigan.kernels import parallel


@pytest.fixture(autouse=True)
def as_it_was():
    before = parallel.threads()
    yield
    parallel.set_threads(before)


def test_threads_follow_the_environment_at_first(monkeypatch):
    def asked():
        monkeypatch.setattr(parallel, "_threads", 0)
        return parallel.threads()

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MINIGAN_THREADS", raising=False)
    assert asked() == 3
    monkeypatch.setenv("MINIGAN_THREADS", "5")
    assert asked() == 5
    monkeypatch.setenv("MINIGAN_THREADS", "0")
    assert asked() == 1
    for word in ("many", "-2", "2.0", "\u00b2", "yes", "9" * 5000):
        monkeypatch.setenv("MINIGAN_THREADS", word)
        with pytest.raises(ArgumentError, match="MINIGAN_THREADS: expected a whole number of threads, got"):
            asked()
    monkeypatch.setenv("MINIGAN_THREADS", "")
    assert asked() == 3
    for word in ("many", "4,2", "\u00b2"):
        monkeypatch.setenv("OMP_NUM_THREADS", word)
        assert asked() >= 1


def test_set_threads():
    parallel.set_threads(3)
    assert parallel.threads() == 3
    with pytest.raises(ArgumentError, match="at least 1, got 0"):
        parallel.set_threads(0)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_every_job_runs_once(threads, count):
    parallel.set_threads(threads)
    done = []
    parallel.run([lambda i=i: done.append(i) for i in range(count)])
    assert sorted(done) == list(range(count))


def test_two_jobs_run_at_once():
    parallel.set_threads(2)
    meeting = threading.Barrier(2, timeout=20)
    parallel.run([meeting.wait, meeting.wait])


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_job_is_raised(threads):
    parallel.set_threads(threads)

    def fail():
        raise ValueError("this job failed")

    with pytest.raises(ValueError, match="this job failed"):
        parallel.run([fail, fail, fail])


def _in_child(answers):
    done = []
    parallel.run([lambda: done.append(1), lambda: done.append(1)])
    answers.put(len(done))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_forked_child_makes_threads_of_its_own():
    parallel.set_threads(2)
    parallel.run([lambda: None, lambda: None])
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(answers,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of forks beside threads
        child.start()
    child.join(20)
    assert child.exitcode == 0 and answers.get() == 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no processor sets here")
@pytest.mark.parametrize("error", [False, True])
def test_the_caller_may_use_the_same_processors_afterwards(error):
    parallel.set_threads(2)
    before = os.sched_getaffinity(0)
    during = {}

    def note():
        during[threading.get_ident()] = os.sched_getaffinity(0)
        meeting.wait()
        if error:
            raise ValueError("this job failed")

    meeting = threading.Barrier(2, timeout=20)
    with pytest.raises(ValueError, match="failed") if error else nullcontext():
        parallel.run([note, note])
    assert os.sched_getaffinity(0) == before
    mine = during.pop(threading.get_ident())
    (helpers,) = during.values()
    if len(before) > 1:
        assert len(mine) == 1 and not mine & helpers and mine | helpers == before


def test_a_job_may_run_jobs():
    parallel.set_threads(2)
    done = []
    parallel.run([lambda: parallel.run([lambda: done.append(1)] * 3)] * 3)
    assert len(done) == 9


def test_large_arrays_are_gone_through_in_parts(monkeypatch):
    monkeypatch.setattr(parallel, "PART", 64)
    monkeypatch.setattr(parallel, "WORTH", 512)
    for threads in (1, 2, 3):
        parallel.set_threads(threads)
        orders = {(40, 30): (0, 1), (5, 7, 40): (1, 2, 0), (1, 500): (0, 1), (): (), (0, 3): (0, 1)}
        for shape, order in orders.items():
            x = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape).transpose(order)
            y, sizes = np.empty_like(x), []

            def fill(part, out, sizes=sizes):
                np.add(part, 1, out=out)
                sizes.append(part.size)

            parallel.over(fill, x, y)
            assert (y == x + 1).all() and sum(sizes) == x.size
            assert len(sizes) == 1 if threads == 1 or x.size < 128 else len(sizes) >= threads
