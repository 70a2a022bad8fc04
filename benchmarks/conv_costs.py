"""The cost model of the convolutions beside measurement: ``python benchmarks/conv_costs.py [--json FILE]``.

Every algorithm whose estimate is within a factor of the lowest one is timed, alone and warm, on the shapes of
``conv_algorithms.py`` and on ten others that no number of the model was fitted to.  Printed: how far the
estimates are off, and what the automatic choice loses against the fastest of those tried: with the built-in
numbers, with those that calibration finds here, and with each of the latter off by a factor of two.  The JSON
is what tests/kernels/conv/test_costs.py holds the model to; ``--from`` judges one instead of measuring.
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
import numpy as np
from conv_algorithms import SHAPES, is_frozen

from minigan.kernels.conv import calibration, rates, registry
from minigan.ops.conv import ConvSpec

OTHERS = {
    "a": (64, 128, 8, 8, 128, 3, 3, 1, 1), "b": (32, 96, 20, 20, 96, 3, 3, 1, 1),
    "c": (16, 48, 32, 32, 96, 4, 4, 2, 1), "d": (64, 256, 4, 4, 256, 4, 4, 2, 1),
    "e": (64, 3, 32, 32, 64, 5, 5, 2, 2), "f": (4, 64, 64, 64, 64, 3, 3, 1, 1),
    "g": (128, 16, 28, 28, 32, 5, 5, 1, 2), "h": (1, 32, 256, 256, 32, 3, 3, 1, 1),
    "i": (16, 128, 16, 16, 64, 1, 1, 1, 0), "j": (64, 128, 16, 16, 3, 4, 4, 2, 1),
}  # fmt: skip
WITHIN = 2.5  # times the lowest estimate
BUDGET = 0.05  # seconds a measurement, at least three calls


def spec_of(sizes):
    """(N, C, H, W, O, KH, KW, stride, padding) as a ConvSpec."""
    *head, stride, padding = sizes
    return ConvSpec(*head, (stride, stride), (padding, padding))


def median_seconds(call):
    """Median of calls that follow one another, after one that is not counted."""
    call()
    times, begin = [], time.perf_counter()
    while len(times) < 3 or (len(times) < 9 and time.perf_counter() - begin < BUDGET):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(name, sizes):
    """Yield {shape, sizes, function, frozen, algorithm, ms} for one shape."""
    spec, generator = spec_of(sizes), np.random.default_rng(0)

    def image(n, c, h, w):
        return generator.standard_normal((n, h, w, c), np.float32).transpose(0, 3, 1, 2)

    x, g, weight = image(*spec.x_shape), image(*spec.y_shape), image(*spec.weight_shape)
    for function in registry.FUNCTIONS:
        frozen = is_frozen(name, function)
        able = [a for a in registry.candidates(spec, function) if a.name != "naive"]
        least = min(a.cost(spec, function, frozen) for a in able)
        for algorithm in able:
            if algorithm.cost(spec, function, frozen) > WITHIN * least:
                continue
            operands = [
                x if function != "input_grad" else g,
                g if function == "weight_grad" else weight,
                spec,
            ]
            if frozen and algorithm.prepare:
                operands.append(algorithm.prepare(weight, spec, function))
            seconds = median_seconds(lambda a=algorithm, o=operands, f=function: getattr(a, f)(*o))
            yield {"shape": name, "sizes": sizes, "function": function, "frozen": frozen,
                   "algorithm": algorithm.name, "ms": float(f"{1e3 * seconds:.3g}")}  # fmt: skip


def losses(rows):
    """(measurements, typical factor between estimate and measurement, mean loss of the choice, largest)."""
    groups, off = {}, []
    for row in rows:
        spec = spec_of(row["sizes"])
        estimate = 1e3 * registry.get(row["algorithm"]).cost(spec, row["function"], row["frozen"])
        off.append(abs(math.log(estimate / row["ms"])))
        groups.setdefault((row["shape"], row["function"]), []).append((estimate, row["ms"]))
    each = [math.log(min(g)[1] / min(ms for _, ms in g)) for g in groups.values()]
    mean, most = (100 * (math.exp(value) - 1) for value in (statistics.mean(each), max(each)))
    return str(len(off)), math.exp(statistics.mean(off)), mean, most


def unpacked(shapes):
    """The rows that `packed` wrote."""
    for name, about in shapes.items():
        for function, times in about["ms"].items():
            frozen = about["frozen"] and function != "weight_grad"
            for algorithm, ms in times.items():
                yield {"shape": name, "sizes": about["sizes"], "function": function, "frozen": frozen,
                       "algorithm": algorithm, "ms": ms}  # fmt: skip


def packed(rows):
    """JSON of {shape: {"sizes", "frozen", "ms": {function: {algorithm: milliseconds}}}}, a line a shape."""
    shapes = {}
    for row in rows:
        about = shapes.setdefault(
            row["shape"], {"sizes": row["sizes"], "frozen": is_frozen(row["shape"], "forward")}
        )
        times = about.setdefault("ms", {}).setdefault(row["function"], {})
        times[row["algorithm"]] = row["ms"]
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(about)}" for name, about in shapes.items())
    return f"{{\n{lines}\n}}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the measurements here")
    parser.add_argument("--shapes", default="", help="comma-separated beginnings of names; default: all")
    parser.add_argument(
        "--from", dest="source", type=Path, help="judge these measurements, on the numbers here"
    )
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.source:
        rows = list(unpacked(json.loads(options.source.read_text(encoding="utf-8"))))
    else:
        every, wanted = {**SHAPES, **OTHERS}, tuple(options.shapes.split(","))
        rows = [
            row for name, sizes in every.items() if name.startswith(wanted) for row in measure(name, sizes)
        ]
    common.print_environment(common.environment())
    table = [("built-in", *losses(rows))]
    if not options.source:  # those of another machine say nothing of this one's speed
        begun = time.perf_counter()
        found = calibration.measured()
        print(f"calibration took {1e3 * (time.perf_counter() - begun):.0f} ms a round, two rounds")
        calibration.use(found)
        table.append(("calibrated", *losses(rows)))
    for name in calibration.NAMES:
        right = getattr(rates, name)
        for factor in (0.5, 2.0):
            setattr(rates, name, right * factor)
            table.append((f"{name} x {factor:g}", *losses(rows)))
        setattr(rates, name, right)
    common.print_table(
        ("numbers", "measured", "estimates off by x", "the choice loses %", "at most %"), table
    )
    if options.json:
        options.json.write_text(packed(rows), encoding="utf-8")


if __name__ == "__main__":
    if "--worker" in sys.argv:
        main()
    else:
        command = [sys.executable, *sys.argv, "--worker"]
        environment = common.worker_environment() | {calibration.VARIABLE: "off"}
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
