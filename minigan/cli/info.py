"""``minigan info``: the versions, libraries and devices that decide how fast minigan computes."""

import ctypes
import json
import os
import platform
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

EPILOG = """\
examples:
  minigan info            what is here
  minigan info --json     the same for a program
"""


def add_parser(subparsers):
    """Add the ``info`` parser and return it."""
    parser = subparsers.add_parser(
        "info",
        help="versions, BLAS, threads, GPU",
        epilog=EPILOG,
        description="The versions, libraries and devices that decide how fast minigan computes.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run(arguments: Namespace) -> None:
    """Print what :func:`collect` found."""
    found = collect()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for section, facts in found.items():
        if section == "warnings":
            continue
        print(section)
        for name, value in facts.items():
            print(f"  {name:<12} {value}")
    for warning in found["warnings"]:
        print(f"warning: {warning}")


def collect() -> dict:
    """Return the facts as nested dictionaries of strings and numbers, and a list of warnings."""
    blas = describe_blas()
    return {
        "minigan": versions(),
        "machine": describe_machine(),
        "blas": blas,
        "convolution": {"cost model": describe_cost_model()},
        "gpu": describe_gpu(),
        "warnings": core_warnings(blas),
    }


def versions() -> dict[str, str]:
    """Return the versions of minigan, Python and the libraries it computes and draws with."""
    from importlib import metadata

    from minigan.cli import version

    found = {"version": version(), "python": platform.python_version()}
    for name in ("numpy", "scipy", "pillow", "matplotlib"):
        found[name] = metadata.version(name)
    return found


def describe_machine() -> dict[str, str | int]:
    """Return platform, processor, the cores this process may use and the threads of element-wise passes."""
    from minigan.cli import speed

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "platform": platform.platform(),
        "processor": _processor_name(),
        "cores": cores,
        "threads": speed.threads(),
    }


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def describe_blas() -> dict[str, str | int]:
    """Return NumPy's BLAS: its name and version; core type and threads of the library in memory."""
    import numpy as np

    built: Any = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index, call-overload]
    found: dict[str, str | int] = {name: built.get(name, "unknown") for name in ("name", "version")}
    library = loaded_openblas()
    if library is None:
        return found
    found["core"] = _call(library, "get_corename", ctypes.c_char_p) or "unknown"
    found["threads"] = _call(library, "get_num_threads", ctypes.c_int) or "unknown"
    return found


def loaded_openblas() -> ctypes.CDLL | None:
    """Return the OpenBLAS that NumPy has loaded, or None when NumPy uses another BLAS."""
    import numpy as np

    package = Path(np.__file__).parent
    # The wheels put it beside the package on Linux and Windows, inside it on macOS.
    folders = (package.parent / "numpy.libs", package / ".dylibs")
    candidates = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*openblas*"))]
    try:
        mapped = [
            line.split()[-1]
            for line in Path("/proc/self/maps").read_text().splitlines()
            if "openblas" in line
        ]
    except OSError:
        mapped = []
    for path in [*candidates, *mapped]:
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        if _call(library, "get_corename", ctypes.c_char_p):
            return library
    return None


def _call(library: ctypes.CDLL, name: str, result) -> str | int | None:
    """Call ``openblas_NAME()`` under whichever prefix and suffix this build exports it."""
    for symbol in (
        f"{prefix}openblas_{name}{suffix}" for prefix in ("scipy_", "") for suffix in ("64_", "", "_64")
    ):
        function = getattr(library, symbol, None)
        if function is not None:
            function.restype, function.argtypes = result, []
            value = function()
            return value.decode() if isinstance(value, bytes) else value
    return None


def core_warnings(blas: dict) -> list[str]:
    """Say so when OPENBLAS_CORETYPE holds OpenBLAS to other kernels than it would choose here."""
    pinned = os.environ.get("OPENBLAS_CORETYPE")
    if not pinned or "core" not in blas:
        return []
    own = _core_left_alone()
    if not own or own == blas["core"]:
        return []
    return [
        f"OPENBLAS_CORETYPE={pinned} pins OpenBLAS to its {blas['core']} kernels; left alone it takes {own} "
        "on this processor, which is usually faster: unset OPENBLAS_CORETYPE"
    ]


def _core_left_alone() -> str:
    """Ask a process without OPENBLAS_CORETYPE which kernels OpenBLAS takes there."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    question = "from minigan.cli.info import describe_blas; print(describe_blas().get('core', ''))"
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    answer = subprocess.run([sys.executable, "-c", question], env=environment, capture_output=True, text=True)
    return answer.stdout.strip()


def describe_cost_model() -> str:
    """Say whether the cost model of convolutions was calibrated on this machine, or why not."""
    from minigan.cli import speed

    return speed.cost_model()


def describe_gpu() -> dict[str, str | int]:
    """Return CuPy's version and the GPU's name and memory, or one line that says why there is none."""
    from minigan import backend, errors

    try:
        cupy = backend.get("cupy").xp
    except errors.DeviceError as error:
        return {"none": str(error)}
    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(runtime.getDevice())
    free, total = runtime.memGetInfo()
    return {
        "cupy": cupy.__version__,
        "name": properties["name"].decode(),
        "cuda": runtime.runtimeGetVersion(),
        "memory": f"{free / 2**30:.1f} GiB free of {total / 2**30:.1f}",
    }
