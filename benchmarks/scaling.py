"""How a step grows with pixels, batch and channels: ``python benchmarks/scaling.py``.

One step of a small convolutional discriminator (forward, backward, Adam) in minigan. Each row varies one
size and keeps the others; the exponent is the slope of log(seconds) over log(size), fitted to all points.
Pixels and batch should come out at 1 (the work is linear in both), channels between 1 (element-wise passes)
and 2 (products).
"""

import argparse
import math
import statistics
import subprocess
import sys
import time

import common

USUAL = {"pixels": 64 * 64, "batch": 16, "channels": 32}
VALUES = {
    "pixels": [32 * 32, 64 * 64, 128 * 128, 256 * 256],
    "batch": [4, 16, 64, 256],
    "channels": [16, 32, 64, 128],
}


def make_step(pixels, batch, channels):
    """A function that trains the net once on one batch."""
    import numpy as np

    import minigan
    from minigan import nn

    side = math.isqrt(pixels)
    wide = 2 * channels
    net = nn.Sequential(
        nn.Conv2d(3, channels, 3, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(channels, wide, 4, stride=2, padding=1), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2),
        nn.Conv2d(wide, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 1),
    )  # fmt: skip
    optimizer = minigan.optim.Adam(net.parameters(), lr=1e-4)
    x = minigan.Tensor(np.random.default_rng(0).standard_normal((batch, 3, side, side), dtype=np.float32))

    def step():
        optimizer.zero_grad()
        net(x).mean().backward()
        optimizer.step()

    return step


def seconds_of(step, at_least):
    """Median seconds of a step over at least that many seconds, after one to warm up."""
    step()
    times = []
    while sum(times) < at_least or len(times) < 3:
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def exponent(sizes, seconds):
    """Slope of the straight line through (log size, log seconds), by least squares."""
    x, y = [math.log(v) for v in sizes], [math.log(v) for v in seconds]
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    spread = sum((a - mean_x) ** 2 for a in x)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread


def measure(at_least):
    """Results by size; prints a row as soon as it is there."""
    results = {}
    for name, values in VALUES.items():
        seconds = [seconds_of(make_step(**{**USUAL, name: value}), at_least) for value in values]
        results[name] = {"values": values, "seconds": seconds, "exponent": exponent(values, seconds)}
        points = "  ".join(f"{v}: {1e3 * s:.3g} ms" for v, s in zip(values, seconds, strict=True))
        print(f"{name:<9} exponent {results[name]['exponent']:.2f}   {points}", flush=True)
    return results


def plot(path, results):
    """Seconds over each size, both logarithmic: a power is a straight line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    for axes, (name, row) in zip(figure.subplots(1, len(results), sharey=True), results.items(), strict=True):
        axes.loglog(row["values"], row["seconds"], "o-")
        axes.set(xlabel=name, title=f"exponent {row['exponent']:.2f}")
        axes.grid(True, which="both", alpha=0.3)
    figure.axes[0].set_ylabel("seconds a step")
    figure.savefig(path)
    print(f"wrote {path}")


def main():
    """Start a worker with the right environment, which measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="of steps at each point")
    parser.add_argument("--json", default="", metavar="FILE", help="write the results to this file")
    parser.add_argument("--plot", default="", metavar="FILE", help="draw seconds over sizes into this file")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.worker:
        command = [sys.executable, __file__, *sys.argv[1:], "--worker"]
        return subprocess.run(command, env=common.worker_environment(), check=True)
    common.print_environment(common.environment())
    results = measure(options.seconds)
    if options.json:
        common.write_json(options.json, {"usual": USUAL, "rows": results})
    if options.plot:
        plot(options.plot, results)


if __name__ == "__main__":
    main()
