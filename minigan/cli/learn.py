"""``minigan learn``: list the lessons of a source checkout, run one, build them as a site, or open it."""

import re
import signal
import subprocess
import sys
import webbrowser
from argparse import REMAINDER, Namespace
from pathlib import Path

from minigan import errors

EPILOG = """\
examples:
  minigan learn                       which lessons there are, and how long each takes
  minigan learn 5 --quick             run one; words after its number are its own options
  minigan learn --build               all of them as a site that is read offline, in build/site
  minigan learn --open                open that site in the browser

A lesson writes its pictures into the current folder and names them.
"""
SITE = Path("build") / "site"


def add_parser(subparsers):
    """Add the ``learn`` parser and return it."""
    parser = subparsers.add_parser(
        "learn",
        help="list the lessons, run one, build the site",
        epilog=EPILOG,
        description="List the lessons of a source checkout, run one, build them as a site, or open it.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--build", action="store_true", help="run all lessons and build the site")
    what.add_argument("--open", action="store_true", help="open the site that was built last")
    parser.add_argument("--quick", action="store_true", help="with --build: every lesson in its short form")
    parser.add_argument("--out", type=Path, help="with --build or --open: the site's folder (build/site)")
    parser.add_argument("lesson", nargs="?", help="its number, or its name")
    parser.add_argument("options", nargs=REMAINDER, metavar="...", help="options of that lesson")
    return parser


def run(arguments: Namespace) -> int:
    """Do what is asked; returns the exit code of the lesson or of the build."""
    found = lessons()
    root = next(iter(found.values())).parents[1]
    site = arguments.out or root / SITE
    if (arguments.build or arguments.open) and arguments.lesson:
        raise errors.ArgumentError(f"lesson {arguments.lesson}: --build and --open are for all of them")
    if arguments.build:
        short = ["--quick"] if arguments.quick else []
        command = [sys.executable, str(root / "examples" / "site" / "build.py"), *short, "--out", str(site)]
        return run_command(command)
    if arguments.open:
        return _open(site / "index.html")
    if arguments.lesson is None:
        print("\n".join(f"{name[:2]}  {title} ({words})" for name, (title, words) in _told(found).items()))
        print("minigan learn NUMBER runs one; minigan learn --build makes a site of them all")
        return 0
    path = chosen(arguments.lesson, found)
    options = [*(["--quick"] if arguments.quick else []), *arguments.options]
    return run_command([sys.executable, str(path), *options])


def run_command(command: list[str]) -> int:
    """Run a command and return its exit code; a SIGTERM is handed on, so that nothing is left running."""
    with subprocess.Popen(command) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            code = process.wait()
        finally:
            signal.signal(signal.SIGTERM, before)
    return code if code >= 0 else 128 - code  # as a shell counts those that a signal ended


def lessons() -> dict[str, Path]:
    """Return the lessons by name: of the checkout that minigan runs from, or that the user stands in.

    Raises:
        minigan.errors.FileError: there is none; an installed copy carries no lessons.
    """
    roots = (Path(__file__).resolve().parents[2], Path.cwd())
    folders = [root / "examples" for root in roots if (root / "minigan").is_dir()]
    found = [path for folder in folders for path in sorted(folder.glob("[0-9][0-9]_*.py"))]
    if not found:
        raise errors.FileError(
            "no lessons beside this copy of minigan or here: they are in examples/ of the source, "
            "so run this in a copy of the repository"
        )
    return {path.stem: path for path in found if path.parent == found[0].parent}


def chosen(word: str, found: dict[str, Path]) -> Path:
    """Return the lesson of a number or name; ArgumentError with the nearest names if there is none."""
    wanted = word.removesuffix(".py")
    number = wanted.zfill(2)
    for name, path in found.items():
        if wanted in (name, name[3:]) or number == name[:2]:
            return path
    near = errors.nearest(wanted, [name for name in found])
    raise errors.ArgumentError(f"no lesson {errors.shown(word)}; the nearest are {near}")


def _told(found: dict[str, Path]) -> dict[str, tuple[str, str]]:
    """Name -> (title, how long it takes), as each lesson says."""
    told = {}
    for name, path in found.items():
        text = path.read_text(encoding="utf-8")
        title = re.search(r"^# # \d+\. (.+)$", text, re.M)
        words = re.search(r"^# Run it: `[^`]+` \((.+)\)\.$", text, re.M)
        told[name] = (title[1] if title else name, words[1].replace("`", "") if words else "")
    return told


def _open(page: Path) -> int:
    if not page.is_file():
        raise errors.FileError(f"no site at {page.parent}: build it with minigan learn --build")
    print(page)
    webbrowser.open(page.resolve().as_uri())
    return 0
