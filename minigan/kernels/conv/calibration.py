"""The numbers of `rates`, measured on this machine when a convolution is first chosen, and kept.

Five little measurements, well under 100 ms together, against the same five of the machine that the built-in
numbers were fitted on: what is twice as fast here counts for twice as fast in every algorithm's cost.  They
are kept in ``rates-<digest>.json`` in minigan's cache folder (MINIGAN_CACHE, else XDG_CACHE_HOME/minigan,
else ``~/.cache/minigan``), one file for each processor, number of threads, NumPy and BLAS core:

    {"machine": {...}, "rates": {"MACS": 2.1e11, ...}}

Which algorithm runs decides the last bits of a result, so a machine has one set of numbers: of two processes
that measure at once the first to write is believed by both, and where nothing can be kept the built-in
numbers are used.  So they are, until the next time, where two rounds of measurements disagree: others are at
work.  A damaged file is replaced.  MINIGAN_CALIBRATE=off leaves all of this out; deleting the file measures
anew.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from minigan.errors import truth
from minigan.kernels import blas, parallel
from minigan.kernels.conv import rates, registry

VARIABLE = "MINIGAN_CALIBRATE"
NAMES = ("MACS", "THIN", "FLOATS", "RUN", "CALL")
# The measurements on the machine of the built-in numbers, as `measured` makes them.
FITTED = {"MACS": 2.4e11, "THIN": 8.5e10, "FLOATS": 2.2e10, "RUN": 2.5e-9, "CALL": 1.5e-5}
MOST = 8.0  # a measurement further off than this factor is a mishap: the built-in number stays
EACH = 0.006  # seconds a measurement
AGREED = 1.5  # factor within which two rounds must agree
_state: str | None = None  # what `describe` says; None: not asked for yet


def cache_folder() -> Path:
    """Return where minigan keeps what can be made again."""
    if chosen := os.environ.get("MINIGAN_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "minigan"


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": [blas.workers(), parallel.threads()],
        "numpy": np.__version__,
        "blas": blas.core(),
    }


def _processor() -> str:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def cache_file() -> Path:
    """Return where this machine's numbers are kept."""
    digest = sha256(json.dumps(machine(), sort_keys=True).encode()).hexdigest()[:12]
    return cache_folder() / f"rates-{digest}.json"


def ensure() -> str:
    """Calibrate, if that was not done yet; return in words which numbers are in use."""
    global _state
    if _state is None:
        _state = "built-in: being measured"  # who asks meanwhile (the measurements choose nothing) goes on
        _state = _calibrate()
    return _state


def _calibrate() -> str:
    if not truth(VARIABLE, os.environ.get(VARIABLE) or "on"):
        return f"built-in numbers: {VARIABLE}=off"
    path = cache_file()
    found = _read(path)
    if found is None:
        first, second = measured(), measured()
        if any(not 1 / AGREED < first[name] / second[name] < AGREED for name in NAMES):
            return "built-in numbers: the machine is busy, two rounds of measurements disagreed"
        better = {name: min if name in ("RUN", "CALL") else max for name in NAMES}
        _keep(path, {name: better[name](first[name], second[name]) for name in NAMES})
        found = _read(path)
        if found is None:
            return f"built-in numbers: {path.parent} cannot be written"
    use(found)
    return f"calibrated on this machine: {path}"


def in_use() -> dict[str, float]:
    """Return the numbers that costs are made of now; a run keeps them, as they decide its last bits."""
    ensure()
    return {name: getattr(rates, name) for name in NAMES}


def adopt(found: dict[str, float]) -> None:
    """Go on with the numbers that `in_use` returned to the run that is continued."""
    global _state
    for name in NAMES:
        setattr(rates, name, float(found[name]))
    registry.calibrate, _state = None, "those of the run that goes on"
    registry._cheapest.cache_clear()


def use(found: dict[str, float]) -> None:
    """Let all costs follow these measurements."""
    for name in NAMES:
        factor = found[name] / FITTED[name]
        setattr(rates, name, rates.BUILT_IN[name] * (factor if 1 / MOST < factor < MOST else 1.0))


def _read(path: Path) -> dict[str, float] | None:
    """Return the numbers of a file; None where there is none, or it is not whole."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["rates"]
        found = {name: float(kept[name]) for name in NAMES}
        return found if all(math.isfinite(n) and n > 0 for n in found.values()) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, found: dict[str, float]) -> None:
    """Write the numbers, whole or not at all, unless another process has."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({"machine": machine(), "rates": found}, indent=1) + "\n", encoding="utf-8")
        if path.exists() and _read(path) is None:
            part.replace(path)  # damaged
        else:
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
    except OSError:
        pass
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def measured() -> dict[str, float]:
    """Measure the numbers of `NAMES`, float32, on the threads that convolutions have."""
    wide, thin = np.ones((448, 448), np.float32), np.ones((1 << 14, 16), np.float32)
    small, out = np.ones((16, 16), np.float32), np.empty_like(wide)
    thin_out, source = np.empty_like(thin), np.ones((2, 1 << 17), np.float32)
    target = np.empty_like(source)
    runs = np.ones((1 << 14, 8), np.float32)[:, :4]
    kept = np.empty((1 << 14, 4), np.float32)
    half = len(kept) // 2
    copies = [lambda i=i: np.copyto(target[i], source[i]) for i in (0, 1)]
    parts = (slice(half), slice(half, None))
    strided = [lambda part=part: np.copyto(kept[part], runs[part]) for part in parts]
    call = _least(lambda: parallel.run([_nothing, _nothing]))
    floats = source.size / _least(lambda: parallel.run(copies))
    seconds = _least(lambda: parallel.run(strided)) - kept.size / floats
    return {
        "MACS": wide.size * len(wide) / _least(lambda: np.matmul(wide, wide, out=out)),
        "THIN": thin.size * 16 / _least(lambda: np.matmul(thin, small, out=thin_out)),
        "FLOATS": floats,
        "RUN": max(seconds, 1e-7) / len(kept),
        "CALL": call,
    }


def _nothing() -> None:
    pass


def _least(call: Callable[[], Any]) -> float:
    """Return the seconds of the fastest of the calls that fit into `EACH`, two at least."""
    best, end, count = math.inf, time.perf_counter() + EACH, 0
    while count < 3 or time.perf_counter() < end:
        begun = time.perf_counter()
        call()
        if count:  # the first warms up
            best = min(best, time.perf_counter() - begun)
        count += 1
    return best
