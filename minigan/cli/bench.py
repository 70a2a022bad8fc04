"""``minigan bench``: run the benchmarks of a source checkout, each in a process of its own."""

import os
import subprocess
import sys
from argparse import REMAINDER, Namespace
from pathlib import Path

from minigan import errors

EPILOG = """\
examples:
  minigan bench --list                which there are
  minigan bench conv_algorithms       run one; words after its name are its own options
"""


def add_parser(subparsers):
    """Add the ``bench`` parser and return it."""
    parser = subparsers.add_parser(
        "bench",
        help="run a benchmark of the checkout",
        epilog=EPILOG,
        description="Run the benchmarks of a source checkout, each in a process of its own.",
    )
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("name", nargs="?", help="which one")
    parser.add_argument("options", nargs=REMAINDER, metavar="...", help="options of that benchmark")
    return parser


def run(arguments: Namespace) -> int:
    """List the benchmarks or run one; returns that benchmark's exit code."""
    found = benchmarks()
    if arguments.list or arguments.name is None:
        print("\n".join(found))
        return 0
    if arguments.name not in found:
        raise errors.ArgumentError(f"no benchmark {arguments.name!r}; there are: {', '.join(found)}")
    # OpenBLAS chooses for itself here: a pinned core type or cache would measure the pin and not the code.
    pins = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    environment = {name: value for name, value in os.environ.items() if name not in pins}
    command = [sys.executable, str(found[arguments.name]), *arguments.options]
    return subprocess.run(command, env=environment, check=False).returncode


def benchmarks() -> dict[str, Path]:
    """Return the benchmark files by name: of the checkout that minigan runs from, or that the user stands in.

    Raises:
        minigan.errors.FileError: there is none; an installed copy carries no benchmarks.
    """
    roots = (Path(__file__).resolve().parents[2], Path.cwd())
    folders = [root / "benchmarks" for root in roots if (root / "minigan").is_dir()]
    scripts = next((found for folder in folders if (found := sorted(folder.glob("*.py")))), [])
    files = [path for path in scripts if "__main__" in path.read_text(encoding="utf-8")]  # not their helpers
    if not files:
        raise errors.FileError(
            "no benchmarks beside this copy of minigan or here: run it in a source checkout"
        )
    return {path.stem: path for path in files}
