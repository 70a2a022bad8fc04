"""What more processes bring: a sweep by two Dask workers, and one run by two MPI ranks.

    python benchmarks/cluster.py            # needs the extra "cluster", and mpiexec

The sweep is timed with one worker, with two, and with two of which one is killed on the way; its figures
must be those of this machine without Dask, bit for bit. The run is timed as steps a second by one process and
by two, at the same batch, with one BLAS thread a process and with two for the one that is alone.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

SWEEP = [
    "sweep",
    "ring",
    "--set",
    "base=64",
    "--set",
    "batch=128",
    "--vary",
    "lr_d=1e-3,3e-4",
    "--seeds",
    "4",
]
TRAIN = ["train", "dcgan", "--data", "glyphs", "--limit", "2000", "--batch", "64", "--log-every", "1000000"]
AS_ROOT = dict.fromkeys(("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"), "1")


def start(*command, **variables):
    environment = common.worker_environment() | AS_ROOT | variables
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", *map(str, command)], env=environment, **quiet)


@contextlib.contextmanager
def cluster(workers, folder):
    """A scheduler and so many workers of one thread; yields (address, processes of the workers)."""
    file = Path(folder, "scheduler.json")
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file]
    found = [start("distributed.cli.dask_scheduler", *words)]
    while not file.exists() or not file.read_text(encoding="utf-8").strip():
        time.sleep(0.1)
    address = json.loads(file.read_text(encoding="utf-8"))["address"]
    plain = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", Path(folder, "dask")]
    found += [start("distributed.cli.dask_worker", address, *plain) for _ in range(workers)]
    time.sleep(5)  # until all have arrived
    try:
        yield address, found[1:]
    finally:
        for process in found:
            process.kill()
            process.wait()


def sweep(steps, workers=0, kill=False):
    """Seconds of a sweep, and its figures by cell."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as held:
        words, processes = ["--jobs", 1], []
        if workers:
            address, processes = held.enter_context(cluster(workers, folder))
            words = ["--dask", address]
        out = Path(folder, "sweep")
        begun = time.perf_counter()
        process = start("minigan", *SWEEP, "--steps", steps, *words, "--out", out)
        while kill and not list(out.glob("cells/*.json")):
            time.sleep(0.05)
        if kill:
            processes[0].kill()
        if process.wait():
            sys.exit("the sweep failed")
        seconds = time.perf_counter() - begun
        cells = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in out.glob("cells/*.json")}
        return seconds, {name: cell["figures"] for name, cell in cells.items()}


def steps_a_second(ranks, threads, steps):
    """Of a training run, its start left out: the time of twice as many steps less that of once as many."""
    taken = []
    for count in (steps, 2 * steps):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "minigan",
                *TRAIN,
                "--steps",
                str(count),
                "--out",
                f"{folder}/run",
            ]
            if ranks > 1:
                command = [shutil.which("mpiexec"), "-n", str(ranks), *command]
            environment = common.worker_environment() | AS_ROOT
            environment |= {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
            begun = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            taken.append(time.perf_counter() - begun)
    return steps / (taken[1] - taken[0])


def sweeps(steps):
    """Rows and results of the sweep, here and by one worker, two, and two of which one is killed."""
    near, expected = sweep(steps)
    print(f"no Dask, one process: {near:.1f} s", flush=True)
    rows, results, one = [["no Dask, one process", near, "", "yes"]], {}, None
    for name, workers, kill in (("1 worker", 1, False), ("2 workers", 2, False), ("2, one killed", 2, True)):
        seconds, figures = sweep(steps, workers, kill)
        print(f"{name}: {seconds:.1f} s", flush=True)
        one = one or seconds
        rows.append([name, seconds, seconds / one, "yes" if figures == expected else "NO"])
        results[name] = {"seconds": seconds, "of_one_worker": seconds / one, "same": figures == expected}
    return rows, results


def runs(steps):
    """Rows of the run by one process and by two ranks."""
    ways = (("1 process, 1 thread", 1, "1"), ("1 process, 2 threads", 1, "2"), ("2 ranks, 1 thread", 2, "1"))
    return [[name, steps_a_second(ranks, threads, steps)] for name, ranks, threads in ways]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600, help="of each cell of the sweep; 0: no sweep")
    parser.add_argument("--train-steps", type=int, default=60, help="of the run by ranks; 0: no run")
    parser.add_argument("--json", default="", metavar="FILE", help="write the results to this file")
    options = parser.parse_args()
    common.print_environment(common.environment())
    results = {}
    if options.steps:
        rows, results = sweeps(options.steps)
        common.print_table(("sweep of 8 cells", "seconds", "of one worker", "same bits"), rows)
    if options.train_steps and shutil.which("mpiexec"):
        rows = runs(options.train_steps)
        common.print_table(("dcgan 28, batch 64", "steps a second"), rows)
        results |= {name: {"steps_a_second": rate} for name, rate in rows}
    if options.json:
        common.write_json(options.json, results)


if __name__ == "__main__":
    main()
