"""`minigan.cli.workers`: tasks are done once, failing ones again, here and on a Dask cluster alike."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from minigan import cli
from minigan.cli import workers
from minigan.errors import ArgumentError, MiniganError

ROOT = Path(__file__).resolve().parents[2]
needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra 'cluster'")


def outcome(tasks, function, **options):
    with workers.crew(2) as pool:
        return {name: rest for name, *rest in workers.finished(pool, function, tasks, **options)}


class TestFinished:
    def test_every_task_has_its_own_result(self):
        found = outcome({n: (n,) for n in range(50)}, lambda n: n * n)
        assert found == {n: [n * n, ""] for n in range(50)}

    def test_what_fails_is_tried_again_and_at_last_named(self):
        turns = Counter()

        def shaky(name, lucky):
            turns[name] += 1
            if turns[name] < lucky:
                raise MiniganError(f"not\nyet {turns[name]}")
            return name

        found = outcome({"a": ("a", 1), "b": ("b", 3), "c": ("c", 9)}, shaky)
        assert found == {"a": ["a", ""], "b": ["b", ""], "c": [None, "not yet 3"]}
        assert turns == {"a": 1, "b": 3, "c": workers.TRIES}

    def test_an_error_without_words_has_its_name(self):
        def fail():
            raise MemoryError

        assert outcome({"a": ()}, fail) == {"a": [None, "MemoryError"]}


class TestProcess:
    def test_a_process_has_one_thread_and_the_settings(self, tmp_path, monkeypatch):
        (tmp_path / "job17.py").write_text(
            "import json, os, sys\njob = json.loads(sys.argv[1])\n"
            "print(json.dumps([os.environ.get(name) for name in job['names']]))"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        names = ["OMP_NUM_THREADS", "MINIGAN_THREADS", "MINIGAN_KERNELS"]
        assert workers.in_process("job17", {"names": names}, {"MINIGAN_KERNELS": "off"}) == ["1", "1", "off"]

    def test_a_process_that_fails_says_why(self):
        with pytest.raises(MiniganError, match="No module named minigan.nothing"):
            workers.in_process("minigan.nothing", {}, {})

    def test_leaving_early_kills_what_runs(self):
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt), workers.crew(1) as pool:
            pool.submit(sleep_in_a_process)
            while not workers._running:
                time.sleep(0.01)
            raise KeyboardInterrupt
        assert time.monotonic() - begun < 20 and not workers._running


def sleep_in_a_process():
    with workers.started([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        process.communicate()


class TestUnpack:
    def test_files_are_written_once(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
        workers.unpack({"a.npz": b"one"})
        path = tmp_path / "cache" / "a.npz"
        before = path.stat().st_mtime_ns
        workers.unpack({"a.npz": b"one"})
        assert path.read_bytes() == b"one" and path.stat().st_mtime_ns == before
        workers.unpack({"a.npz": b"two"})
        assert path.read_bytes() == b"two"


SWEEP = ["sweep", "ring", "--set", "base=4", "--set", "batch=16", "--vary", "lr_d=1e-3,1e-2"]


class TestOptions:
    def test_no_dask(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "distributed", None)
        assert cli.main([*SWEEP, "--dask", "tcp://127.0.0.1:1", "--out", str(tmp_path / "s")]) == 2
        assert capsys.readouterr().err == (
            "minigan: error: --dask: Dask is not installed: pip install 'minigan[cluster]'\n"
        )

    def test_jobs_are_the_clusters_business(self):
        with (
            pytest.raises(ArgumentError, match="--jobs: a cluster has"),
            workers.crew(2, "tcp://127.0.0.1:1"),
        ):
            pass

    @needs_dask
    @pytest.mark.parametrize("address", ["nonsense", "gopher://127.0.0.1:8786", "tcp://127.0.0.1", "a b:1"])
    def test_no_address(self, address):
        with pytest.raises(ArgumentError, match="--dask: expected an address"), workers.crew(None, address):
            pass

    @needs_dask
    def test_nobody_answers(self, tmp_path):
        words = [*SWEEP, "--dask", "tcp://127.0.0.1:1", "--out", str(tmp_path / "s")]
        code = "import sys; from minigan.cli import main, workers; workers.ANSWERS = 0.5; sys.exit(main())"
        answer = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 2 and answer.stderr.count("\n") == 1
        assert "no scheduler answers there" in answer.stderr


@pytest.fixture
def cluster(tmp_path):
    """A scheduler of this machine with two workers of one thread; yields (address, the workers)."""
    started, file = [], tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(*words):
        command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
        started.append(
            subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        )  # fmt: skip
        return started[-1]

    start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file)
    while not file.exists() or not file.read_text().strip():
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    plain = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", tmp_path / "dask"]
    try:
        yield address, [start("dask_worker", address, *plain) for _ in range(2)]
    finally:
        for process in started:
            process.kill()
            process.wait()


@needs_dask
def test_a_cluster_finds_what_this_machine_finds_though_a_worker_is_killed(cluster, tmp_path):
    address, processes = cluster
    words = [*SWEEP, "--seeds", "4", "--steps", "30"]
    sweep = subprocess.Popen(
        [sys.executable, "-m", "minigan", *words, "--dask", address, "--out", str(tmp_path / "far")],
        cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with sweep:
        lines = [sweep.stderr.readline()]
        processes[0].send_signal(signal.SIGKILL)  # with a cell in its hands
        lines += sweep.stderr.readlines()
    assert sweep.returncode == 0, lines
    assert len([line for line in lines if ": modes" in line]) == 8
    assert cli.main([*words, "--jobs", "2", "--out", str(tmp_path / "near")]) == 0
    far, near = (
        {path.name: json.loads(path.read_text()) for path in (tmp_path / where / "cells").glob("*.json")}
        for where in ("far", "near")
    )
    assert len(far) == 8 and far.keys() == near.keys()
    for name, one in far.items():
        assert one["figures"] == near[name]["figures"] and one["verdict"] == near[name]["verdict"]
