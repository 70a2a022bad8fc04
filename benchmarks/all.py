"""All that is measured beside PyTorch, in one command and at most 15 minutes: ``minigan bench all``.

Runs the benchmarks below one after another, few rounds each, prints their tables, and draws one picture of
all ratios, all.png in the folder of ``--out``, beside their JSON files. What does not fit into the time is
left out and named. The machine must be idle.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

import common

MINUTES = 15.0
HERE = Path(__file__).parent
# (title in the picture, benchmark, its options, seconds that must be left to begin it)
PARTS = (
    ("GAN steps", "gan_step", ["--rounds", "3"], 60),
    ("style steps", "style_step", ["--rounds", "3"], 40),
    ("peak memory", "memory", ["--steps", "5"], 60),
    ("operations", "op_overhead", ["--rounds", "3"], 20),
    ("convolutions", "conv_algorithms", ["--rounds", "1"], 120),
    ("", "scaling", ["--seconds", "0.5"], 30),
    ("", "import_time", ["--rounds", "5"], 10),
    ("", "conv_costs", [], 90),
)


def ratios(title, results):
    """Name of a bar -> ratio of minigan to PyTorch; convolutions as one, their geometric mean."""
    if title == "convolutions":
        found = [row["ratio"] for row in results["rows"] if row["chosen"]]
        above = sum(ratio > 1.2 for ratio in found)
        mean = math.exp(statistics.fmean(map(math.log, found)))
        whole = {"ratio": mean, "low": min(found), "high": max(found)}
        return {f"{len(found)} functions, {above} above 1.2": whole}
    return {name: row for name, row in results.items() if "ratio" in row}


def draw(path, bars, facts):
    """One picture: a bar for each ratio, with its spread, in groups, on a logarithmic axis."""
    from matplotlib.figure import Figure

    rows = [(f"{title}: {name}", row) for title, found in bars.items() for name, row in found.items()]
    figure = Figure(figsize=(8, 1.6 + 0.24 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, (_, row) in enumerate(rows):
        low, high = row.get("low", row["ratio"]), row.get("high", row["ratio"])
        colour = "tab:blue" if row["ratio"] <= 1 else "tab:orange"
        axes.barh(place, row["ratio"] - 1, left=1, color=colour)
        axes.plot([low, high], [place, place], color="black", linewidth=1)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(xscale="log", xlabel="minigan / PyTorch: left of the line minigan is faster, or smaller")
    low, high = axes.get_xlim()
    ticks = [tick for tick in (0.1, 0.2, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.invert_yaxis()
    words = (facts["processor"], f"{facts['blas core']} kernels", facts["threads"], facts["sgemm"])
    axes.set_title(", ".join(words), fontsize=9)
    figure.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/bench"), help="folder; default runs/bench")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="nothing is begun that would not fit")
    options = parser.parse_args()
    begun, bars, left_out = time.monotonic(), {}, []
    options.out.mkdir(parents=True, exist_ok=True)
    facts = common.environment()
    common.print_environment(facts)
    for title, name, words, seconds in PARTS:
        left = 60 * options.minutes - (time.monotonic() - begun)
        if left < seconds:
            left_out.append(name)
            continue
        print(f"\n== {name} {' '.join(words)}", flush=True)
        file = options.out / f"{name}.json"
        command = [sys.executable, HERE / f"{name}.py", *words, *(["--json", file] if title else [])]
        try:
            done = subprocess.run(command, check=False, timeout=left)
        except subprocess.TimeoutExpired:
            left_out.append(name)
            continue
        if done.returncode:
            left_out.append(f"{name} (it failed)")
        elif title:
            bars[title] = ratios(title, json.loads(file.read_text(encoding="utf-8"))["results"])
    if bars:
        draw(options.out / "all.png", bars, facts)
        print(f"\nwrote {options.out / 'all.png'}")
    print(
        f"{(time.monotonic() - begun) / 60:.1f} minutes"
        + f"; left out: {', '.join(left_out)}" * bool(left_out)
    )


if __name__ == "__main__":
    main()
