"""What long products gain from blocks, on one thread: ``python benchmarks/blocks.py``.

Each product is made by `minigan.kernels.blas.product` in one piece and in blocks, in turns; see
its `_by_blocks`.
"""

import argparse
import statistics
import subprocess
import sys

import common

PRODUCTS = {  # what for: (rows, inner, columns)
    "im2col, 3x3 of 32 channels": (12_000, 288, 32),
    "im2col, 4x4 of 32 channels": (12_000, 512, 64),
    "Winograd, one point": (12_000, 64, 64),
    "Winograd, a transform": (6, 6, 129_000),
    "weight gradient, 32 x 32 channels": (32, 12_500, 32),
    "weight gradient, 3x3 of 32 channels": (32, 12_500, 288),
}


def measure(rounds):
    """Rows of the table: milliseconds in one piece and in blocks, their ratio and its spread."""
    import numpy as np

    from minigan.kernels import blas

    rng, limit = np.random.default_rng(0), blas.UNPACKED
    blas.SMALL_KERNELS = (blas.core(),)  # blocks here too, whatever the library does on this processor
    for name, (rows, inner, columns) in PRODUCTS.items():
        left, right = (rng.standard_normal(shape, np.float32) for shape in ((rows, inner), (inner, columns)))
        out = np.empty((rows, columns), np.float32)
        times = {1: [], limit: []}
        for _ in range(rounds):
            for largest, found in times.items():
                blas.UNPACKED = largest
                found.append(common.seconds_a_call(lambda a=left, b=right, c=out: blas.product(a, b, c)))
        ratios = [blocks / whole for whole, blocks in zip(*times.values(), strict=True)]
        spread = f"{min(ratios):.2f}..{max(ratios):.2f}"
        medians = [1e3 * statistics.median(found) for found in times.values()]
        yield [f"{name}: {rows} x {inner} x {columns}", *medians, statistics.median(ratios), spread]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args([word for word in sys.argv[1:] if word != "--worker"])
    common.print_environment(common.environment())
    common.print_table(["product", "whole ms", "blocks ms", "ratio", "spread"], measure(options.rounds))


if __name__ == "__main__":
    if "--worker" in sys.argv:
        main()
    else:
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MINIGAN_THREADS"), "1")
        command = [sys.executable, *sys.argv, "--worker"]
        sys.exit(subprocess.run(command, env=common.worker_environment() | one, check=False).returncode)
