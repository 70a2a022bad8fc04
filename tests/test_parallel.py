"""The pool of threads: every job once, errors raised, and forks."""

import multiprocessing
import threading
import warnings

import pytest

from minigan import parallel
from minigan.errors import ArgumentError


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
    monkeypatch.delenv("MINIGAN_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
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
