"""Choose by measuring instead of by estimate, and remember the outcome for this machine.

Inside ``with conv.use("measured")`` the first use of a shape runs every promising algorithm on random
numbers and takes the fastest from then on; ``autotune(spec)`` does that for one shape at once. Results are
kept in one small JSON file a machine, ``conv-<digest>.json`` in minigan's cache folder (see `calibration`),
where the digest stands for processor, number of threads, NumPy's version and device:

    {"machine": {...}, "choices": {"forward float32 128x64x14x14 128x64x4x4 ...": "im2col", ...}}

Delete the file to measure again. A file that cannot be read or written only costs the measurement.
"""

import os
import platform
import time

import numpy as np

from minigan import backend
from minigan.kernels import blas
from minigan.kernels.conv import registry

PROMISING = 3.0  # times the lowest estimate up to which an algorithm is tried
_choices: dict[str, str] | None = None


def machine():
    """What the measurements depend on besides the shape."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": blas.workers(),
        "numpy": np.__version__,
        "device": backend.current().name,
    }


def cache_file():
    """Where this machine's choices are kept."""
    from hashlib import sha256  # not at the top, as the others: importing minigan stays light
    from json import dumps

    from minigan.kernels.conv.calibration import cache_folder

    digest = sha256(dumps(machine(), sort_keys=True).encode()).hexdigest()[:12]
    return cache_folder() / f"conv-{digest}.json"


def key_of(spec, function, frozen):
    """One line for one function of one convolution."""
    sizes = ["x".join(map(str, shape)) for shape in (spec.x_shape, spec.weight_shape)]
    settings = (spec.stride, spec.padding, spec.dilation, spec.groups)
    return f"{function}{' frozen' if frozen else ''} {' '.join(sizes)} {settings}"


def load():
    """The choices of this machine: read once; none where there is no readable file."""
    global _choices
    if _choices is None:
        from json import loads

        try:
            _choices = dict(loads(cache_file().read_text(encoding="utf-8"))["choices"])
        except (OSError, ValueError, KeyError, TypeError):
            _choices = {}
    return _choices


def save():
    """Write the choices, whole or not at all."""
    from json import dumps

    path = cache_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(dumps({"machine": machine(), "choices": load()}, indent=1) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError:
        pass  # a folder that cannot be written: measured again next time


def seconds(algorithm, spec, function, frozen, repeat=3):
    """The median time of one call on random float32 numbers on the current device."""
    generator = np.random.default_rng(0)
    x, weight, g = (
        backend.standard_normal(generator, shape) for shape in (spec.x_shape, spec.weight_shape, spec.y_shape)
    )
    if function == "weight_grad":
        arguments = (x, g, spec)
    else:
        prepared = algorithm.prepare(weight, spec, function) if frozen and algorithm.prepare else None
        arguments = (x if function == "forward" else g, weight, spec, prepared)
    times = []
    for _ in range(repeat + 1):  # the first call warms up
        started = time.perf_counter()
        getattr(algorithm, function)(*arguments)
        backend.synchronize()
        times.append(time.perf_counter() - started)
    return sorted(times[1:])[repeat // 2]


def measured(spec, function="forward", frozen=False):
    """The algorithm that was fastest for this shape, measured now if it never was."""
    key, choices = key_of(spec, function, frozen), load()
    if choices.get(key) not in registry.names() or registry.why_not(
        registry.get(choices[key]), spec, function
    ):
        able = registry.candidates(spec, function)
        estimates = {a.name: a.cost(spec, function, frozen) for a in able}
        limit = PROMISING * min(estimates.values())
        tried = {a.name: seconds(a, spec, function, frozen) for a in able if estimates[a.name] <= limit}
        choices[key] = min(tried, key=lambda name: tried[name])
        save()
    return registry.get(choices[key])


def autotune(spec, *, frozen=False):
    """Measure one convolution's three functions; {function: name of the fastest algorithm}."""
    return {function: measured(spec, function, frozen).name for function in registry.FUNCTIONS}


registry.measured = measured
