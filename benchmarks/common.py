"""What every benchmark shares: workers in processes of their own, interleaved rounds, tables, JSON.

Each library is timed in its own process, started without OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE (which pin
NumPy's BLAS, and not PyTorch's, to an instruction set and to a size of cache), with two threads. Rounds
alternate: ours, theirs, ours, theirs, ..., so that a slow spell of the machine hits both. A figure is the
median over rounds; a ratio is the median of the rounds' ratios, its spread the lowest and highest one.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import machine
from machine import sgemm_rate  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
THREADS = "2"
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
SETTLE = 0.1  # seconds


def worker_environment():
    """The environment a worker starts in: a BLAS with nothing pinned, two threads."""
    kept = {k: v for k, v in os.environ.items() if k not in PINS}
    paths = [str(ROOT), kept.get("PYTHONPATH", "")]
    return kept | {
        "OMP_NUM_THREADS": THREADS,
        "OPENBLAS_NUM_THREADS": THREADS,
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
    }


class Worker:
    """A process that answers JSON lines: one request in, one answer out."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=worker_environment(),
        )

    def ask(self, **request):
        """Send a request and wait for its answer; RuntimeError if the process died."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"worker ended with status {self.process.wait()} at request {request}")
        return json.loads(line)

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def serve(answer):
    """Run in a worker: answer(request) for every line until the other end closes.

    The idle threads of a BLAS or OpenMP pool go on spinning for some 30 ms after the last call, and would
    slow the other process down by up to eight times: wait until its have gone to sleep.
    """
    for line in sys.stdin:
        time.sleep(SETTLE)
        print(json.dumps(answer(json.loads(line))), flush=True)


def seconds_a_call(call, at_least=0.02, most=1000):
    """Time one call: repeated until the clock reads ``at_least`` seconds, after one call to warm up."""
    started = time.perf_counter()
    call()
    once = time.perf_counter() - started
    count = max(1, min(most, int(at_least / max(once, 1e-7))))
    started = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - started) / count


def interleave(ask_ours, ask_theirs, rounds):
    """Alternate two measurements; returns (ours, theirs) lists of seconds."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(ask_ours())
        theirs.append(ask_theirs())
    return ours, theirs


def summary(ours, theirs):
    """Medians of both in seconds, the median ratio, and the lowest and highest ratio of a round."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "ours": statistics.median(ours),
        "theirs": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
    }


def environment(variables=None):
    """What a process with these variables (default: a worker's) is measured on: see machine.py."""
    return machine.environment(tuple(sorted((variables or worker_environment()).items())))


def print_environment(facts):
    """One line a fact."""
    for key, value in facts.items():
        print(f"{key:>12}: {value}")


def print_table(headings, rows):
    """Columns as wide as they need to be."""
    cells = [headings, *[[c if isinstance(c, str) else f"{c:.3g}" for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        padded = [c.rjust(w) for c, w in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *padded[1:]]))


def print_profile(name, step, steps, others=()):
    """Milliseconds a step by operation: its forward pass, and its backward pass without what that calls.

    ``others`` are (owner, method's name, label): calls timed as they are, such as an optimiser's update.
    """
    import minigan

    spent, calls = Counter(), Counter()
    within = 0.0  # seconds of forward passes called by the backward pass that is running

    def note(phase, op, result, seconds):
        nonlocal within
        own = seconds
        if phase == "backward":
            own, within = seconds - within, 0.0
        elif not op.recording:
            phase, within = "in backward", within + seconds
        spent[op.name, phase] += own
        calls[op.name, phase] += 1

    def timed(function, label):
        started = time.perf_counter()
        function()
        spent[label, ""] += time.perf_counter() - started
        calls[label, ""] += 1

    seconds_a_call(step, 0.5)
    for owner, method, label in others:
        setattr(owner, method, partial(timed, getattr(owner, method), label))
    started = time.perf_counter()
    with minigan.observe(note):
        for _ in range(steps):
            step()
    total = time.perf_counter() - started
    spent["everything else", ""] = total - sum(spent.values())
    rows = [(*key, calls[key] / steps, 1e3 * s / steps) for key, s in spent.most_common()]
    print_table(("operation", "phase", "calls", "ms"), rows)
    print(f"one step of {name}: {1e3 * total / steps:.2f} ms")


def add_outputs(parser):
    """Options for files: the figures, and a picture of them."""
    parser.add_argument("--json", default="", metavar="FILE", help="write the results to this file")
    parser.add_argument("--plot", default="", metavar="FILE", help="draw the ratios into this PNG or SVG")


def write_outputs(options, results, ratios, title):
    """Write what `add_outputs` was asked for; ``ratios``: name -> {ratio, and its spread low and high}."""
    if options.json:
        write_json(options.json, results)
    if options.plot:
        plot_ratios(options.plot, ratios, title)


def plot_ratios(path, ratios, title):
    """A bar for each ratio, with its spread, on a logarithmic axis with PyTorch at 1."""
    from matplotlib.figure import Figure

    names, found = list(ratios), list(ratios.values())
    middle = [row["ratio"] for row in found]
    left = [row["ratio"] - row.get("low", row["ratio"]) for row in found]
    right = [row.get("high", row["ratio"]) - row["ratio"] for row in found]
    figure = Figure(figsize=(7, 1.2 + 0.25 * len(names)), layout="constrained")
    axes = figure.subplots()
    colours = ["tab:blue" if ratio <= 1 else "tab:orange" for ratio in middle]
    axes.barh(names, middle, xerr=(left, right), color=colours, error_kw={"elinewidth": 1})
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(xscale="log", xlabel="minigan / PyTorch (below 1: minigan is faster, or smaller)", title=title)
    axes.invert_yaxis()
    figure.savefig(path)
    print(f"wrote {path}")


def write_json(path, results):
    """Write results beside the environment they were measured in."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"environment": environment(), "results": results}
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
