"""Who does the work of many runs: processes of this machine, or a Dask cluster.

Both are executors as `concurrent.futures` has them, so what is done stands in one place and where in another:

    with workers.crew(jobs=2) as pool:                          # or crew(dask="tcp://10.0.0.1:8786")
        for name, result, failure in workers.finished(pool, workers.in_process, tasks):
            ...

A task is done by a process of its own with one thread, wherever that is: so it gives the same bits beside
others as alone, and a crash ends nothing but itself.  What fails, and what a lost worker had, is tried again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from minigan.errors import ArgumentError, MiniganError, shown

TRIES = 3  # of a task, the first included
ANSWERS = 10.0  # seconds that a scheduler, and then its first worker, may take to answer
# The same algorithms everywhere too: what a machine has calibrated is its own.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1", "MINIGAN_THREADS": "1", "MINIGAN_CALIBRATE": "off",
}  # fmt: skip

_running: set[subprocess.Popen] = set()
_lock, _stopped = threading.Lock(), threading.Event()


def in_process(module: str, job: Mapping[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
    """Run ``python -m module JOB`` in a process with one thread; JSON goes in and comes out.

    The process is told by its stdin, which closes when we die.  Raises MiniganError with the last line that
    it wrote on stderr if it ends badly.
    """
    package = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, **ONE_THREAD, **settings, "PYTHONPATH": paths}
    command = [sys.executable, "-m", module, json.dumps(dict(job))]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with started(command, env=environment, stderr=errors) as process:
            assert process.stdout
            answer = process.stdout.read()
            code = process.wait()
        if code:
            errors.seek(0)
            said = errors.read().splitlines() or [f"exit code {code}"]
            raise MiniganError(said[-1])
    return json.loads(answer)


@contextlib.contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen]:
    """Start a process that is killed when the work is stopped; text on stdout, a pipe on stdin."""
    with _lock:
        if _stopped.is_set():
            raise MiniganError("the work is being stopped")
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True, **options,  # Ctrl-C is for us; we stop them
        )  # fmt: skip
        _running.add(process)
    try:
        with process:
            yield process
    finally:
        with _lock:
            _running.discard(process)


def _stop() -> None:
    with _lock:
        _stopped.set()
        for process in _running:
            process.kill()


@contextlib.contextmanager
def crew(
    jobs: int | None = None, dask: str | None = None, carry: Mapping[str, bytes] | None = None
) -> Iterator[Executor]:
    """Yield an executor; whatever leaves the block early stops what runs here and forgets what waits.

    Args:
        jobs: tasks at a time on this machine; default one a core.
        dask: a scheduler's address instead.
        carry: name -> content of files that every machine's cache folder needs.

    Raises:
        ArgumentError: no scheduler or no worker answers, Dask is missing, or workers have another minigan.
    """
    if dask is not None:
        if jobs is not None:
            raise ArgumentError("--jobs: a cluster has as many as its workers have threads; leave it out")
        with _cluster(dask, carry or {}) as pool:
            yield pool
        return
    _stopped.clear()
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as threads:
        try:
            yield threads
        except BaseException:
            _stop()
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def finished(
    pool: Executor, function: Callable[..., Any], tasks: Mapping[Any, tuple], *, tries: int = TRIES
) -> Iterator[tuple[Any, Any, str]]:
    """Call ``function(*arguments)`` for every name -> arguments, and yield them as they finish.

    Yields (name, result, ""), or (name, None, why not) for what raised ``tries`` times: it is tried again
    when others have had their turn, on a cluster most likely by another worker.
    """
    done: SimpleQueue[tuple[Any, int, Future]] = SimpleQueue()

    def submit(name: Any, turn: int) -> None:
        future = pool.submit(function, *tasks[name])
        future.add_done_callback(lambda ended: done.put((name, turn, ended)))

    for name in tasks:
        submit(name, 1)
    for _ in range(len(tasks)):
        while True:
            name, turn, future = done.get()
            error = future.exception()
            if error is None or turn >= tries:
                break
            submit(name, turn + 1)
        if error is None:
            yield name, future.result(), ""
        else:
            yield name, None, " ".join(str(error).split()) or type(error).__name__


# ---- a Dask cluster -----------------------------------------------------------------------------------


@contextlib.contextmanager
def _cluster(address: str, carry: Mapping[str, bytes]) -> Iterator[Executor]:
    try:
        import distributed
    except ImportError as error:
        raise ArgumentError("--dask: Dask is not installed: pip install 'minigan[cluster]'") from error
    if not re.fullmatch(r"((tcp|tls|ucx|wss?)://)?[^\s/]+:\d+/?", address):
        raise ArgumentError(f"--dask: expected an address such as tcp://HOST:8786, got {shown(address)}")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters comes as an error
    try:
        client = distributed.Client(address, timeout=ANSWERS, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise ArgumentError(
            f"--dask {address}: no scheduler answers there ({str(error) or type(error).__name__}); "
            "start one with 'dask scheduler' and give the address it prints"
        ) from error
    with client:
        _check_workers(client, address, distributed)
        if carry:
            client.register_plugin(_luggage(distributed, dict(carry)))
        pool = client.get_executor(pure=False)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False)
            raise


def _check_workers(client: Any, address: str, distributed: Any) -> None:
    """Refuse a cluster without workers, or with another minigan; say where the last bits may differ."""
    try:
        client.wait_for_workers(1, timeout=ANSWERS)
    except (TimeoutError, distributed.TimeoutError) as error:
        raise ArgumentError(
            f"--dask {address}: the scheduler has no workers; start some with 'dask worker {address}'"
        ) from error
    ours = _ways_to_compute()
    try:
        theirs = client.run(_ways_to_compute)
    except Exception as error:  # whatever importing our module raised over there
        raise ArgumentError(
            f"--dask {address}: a worker cannot import minigan {ours['minigan']} ({error}); "
            "install the same minigan there"
        ) from error
    for worker, found in sorted(theirs.items()):
        differ = [f"{name} {found.get(name)!r}, here {ours[name]!r}" for name in ours
                  if found.get(name) != ours[name]]  # fmt: skip
        if found.get("minigan") != ours["minigan"]:
            raise ArgumentError(f"--dask: worker {worker} has {differ[0]}; install the same minigan there")
        if differ:
            print(f"note: worker {worker} computes otherwise ({'; '.join(differ)}): its last bits may differ",
                  file=sys.stderr)  # fmt: skip


def _ways_to_compute() -> dict[str, Any]:
    """Return what decides the bits of a result."""
    from minigan.cli.info import describe_blas, versions

    found, blas = versions(), describe_blas()
    return {
        "minigan": found["version"], "numpy": found["numpy"], "blas": blas.get("name"),
        "core": blas.get("core"),
    }  # fmt: skip


def _luggage(distributed: Any, files: dict[str, bytes]) -> Any:
    """Return what puts files into the cache folder of every worker, of those to come too."""

    class Luggage(distributed.WorkerPlugin):
        name = "minigan-files"

        def setup(self, worker: Any) -> None:
            """Write what is missing or differs, all or nothing."""
            unpack(files)

    return Luggage()


def unpack(files: Mapping[str, bytes]) -> None:
    """Write name -> content into this machine's cache folder, where it is not there already."""
    from minigan.data.arrays import replace_file
    from minigan.data.download import cache_folder

    for name, content in files.items():
        path = cache_folder() / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replace_file(path) as file:
                file.write(content)
