"""How long ``import minigan`` takes beside ``import numpy``: ``python benchmarks/import_time.py``.

Each import happens in a process of its own and is timed inside it, so the start of Python does not
count. Rounds alternate; the first, which compiles the files as an installation does, is left out.
The promise is a median of at most 0.25 s.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile

import common

PROMISE = 0.25  # seconds


def seconds_to_import(name, cache):
    """Seconds that ``import name`` takes in a fresh process; compiled files are kept in ``cache``."""
    code = f"import time; begun = time.perf_counter(); import {name}; print(time.perf_counter() - begun)"
    environment = common.worker_environment() | {"PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    run = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    return float(run.stdout)


def main():
    """Print medians, and the share that is minigan's own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", default="", help="write the results to this file")
    arguments = parser.parse_args()
    times = {"minigan": [], "numpy": []}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(arguments.rounds + 1):
            for name, found in times.items():
                found.append(seconds_to_import(name, cache))
    times = {name: found[1:] for name, found in times.items()}
    medians = {name: statistics.median(found) for name, found in times.items()}
    common.print_environment(common.environment())
    rows = [[name, medians[name], min(found), max(found)] for name, found in times.items()]
    common.print_table(["import", "median s", "lowest", "highest"], rows)
    verdict = "kept" if medians["minigan"] <= PROMISE else "NOT kept"
    print(f"promise {PROMISE} s: {verdict}; minigan's own: {medians['minigan'] - medians['numpy']:.3f} s")
    if arguments.json:
        common.write_json(arguments.json, medians)


if __name__ == "__main__":
    main()
