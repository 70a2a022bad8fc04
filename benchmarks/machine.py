"""What a figure was measured on: processor, caches, BLAS and its core, threads, rates of memory and products.

python benchmarks/machine.py        # prints it; every other benchmark prints it above its table
"""

import json
import os
import platform
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAR, NEAR = 64 << 20, 1 << 20  # bytes of a copy that goes to memory, and of one that stays in a cache


def facts():
    """Everything about this process, as {name: words or number}."""
    import numpy as np

    sys.path.insert(0, str(ROOT))
    from minigan.cli.info import describe_blas, describe_machine

    machine, blas = describe_machine(), describe_blas()
    return {
        "processor": machine["processor"],
        "cores": machine["cores"],
        "caches": caches(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        "blas core": blas.get("core", "unknown"),
        "threads": f"BLAS {blas.get('threads', 'unknown')}, passes {machine['threads']}",
        "copy 64 MB": f"{copy_rate(FAR):.0f} GB/s",
        "copy 1 MB": f"{copy_rate(NEAR):.0f} GB/s",
        "sgemm": f"{sgemm_rate() / 1e9:.0f} GFLOP/s",
    }


@cache
def environment(variables=None):
    """The facts of a process that is started with these variables, (name, value) pairs; None: with ours."""
    own = dict(os.environ if variables is None else variables)
    own["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), own.get("PYTHONPATH")]))
    answer = subprocess.run(
        [sys.executable, __file__, "--json"], env=own, check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout)


def caches():
    """The first processor's caches: L1d 32K, L2 512K, L3 32M."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            found[f"L{level}{'d' if kind == 'Data' else ''}"] = size
    return ", ".join(f"{name} {size}" for name, size in found.items()) or "unknown"


def copy_rate(size):
    """GB/s of a copy of so many bytes, read and written counted, on one thread: the fastest of many."""
    import numpy as np

    source = np.ones(size // 4, np.float32)
    target = np.empty_like(source)
    best, end, count = float("inf"), time.perf_counter() + 0.2, 0
    while count < 4 or time.perf_counter() < end:
        count += 1
        started = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - started)
    return 2 * size / best / 1e9


def sgemm_rate(size=1536):
    """Floating-point operations a second of NumPy's float32 matrix product: the limit of everything dense."""
    import numpy as np

    a = np.ones((size, size), np.float32)
    out, best = np.empty_like(a), float("inf")
    for _ in range(5):
        started = time.perf_counter()
        np.matmul(a, a, out=out)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


if __name__ == "__main__":
    found = facts()
    if "--json" in sys.argv:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:>12}: {value}" for name, value in found.items()))
