"""Run every `minigan` command that README.md and the guide name, shortened, the way a newcomer meets them.

    python .ci/newcomer.py .venv/bin/minigan       in a copy of the repository, with the wheel installed

Left out, and printed, are those that need a GPU, a download or the user's own files. The first command that
fails is shown with what it printed, and the exit code is 1.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
GUIDE = ROOT / "examples" / "site" / "guide"
# What keeps a command short; an option given twice has the last value.
SHORT = {
    "train": "--steps 2",
    "sweep": "--steps 2",
    "lab": "--steps 20",
    "style": "--size 64 --iterations 2",
    "sample": "--overwrite",  # samples of a run are alternatives
    "interpolate": "-n 4 --steps 2",
    "evaluate": "-n 200",
    "gradcheck": "--examples 2",
    "learn": "--quick",
}
WRITTEN = ("--out", "--film", "--curve", "--report")


def pages() -> list[Path]:
    """The README and the guide's pages, in the order of the guide's index."""
    names = re.findall(r"^\* .*?\]\((.+?\.md)\)", (GUIDE / "index.md").read_text(encoding="utf-8"), re.M)
    return [README, *(GUIDE / name for name in names)]


def commands(text: str) -> list[list[str]]:
    """The words after `minigan` of every command in a text's shell blocks and in its prose, once each."""
    found = []
    for block, within in re.findall(
        r"^```sh\n(.*?)^```|`((?:\.venv/bin/)?minigan [^`]*)`", text, re.M | re.S
    ):
        lines = [line.split("  #")[0] for line in block.splitlines()] or [within]
        for part in (part.strip() for line in lines for part in line.split("&&")):
            if re.match(r"(\.venv/bin/)?minigan ", part):
                found.append(shlex.split(part)[1:])
    return [words for i, words in enumerate(found) if words not in found[:i]]


def shortened(words: list[str]) -> list[str]:
    """The same command, soon over; the mere name of one that wants arguments asks for its help."""
    name = words[0]
    if words == [name] and name in SHORT:
        return [name, "--help"]
    limit = "--minutes 0.05" if "--minutes" in words else SHORT.get(name, "")
    return words if "--help" in words else words + limit.split()


def left_out(words: list[str]) -> str | None:
    """Why a command cannot be run here, or None."""
    read = [word for option, word in zip(["", *words], words, strict=False) if option not in WRITTEN]
    if "cupy" in words:
        return "needs a GPU"
    if words[0] == "learn" and {"--build", "--open"} & set(words):
        return "needs the docs extra"
    if "--download" in words or {"mnist", "fashion-mnist"} & set(words):
        return "needs a download"
    if "NAME" in words or any(re.match(r"path/to/|[\w-]+\.(jpg|png|pth)$", word) for word in read):
        return "needs the user's own files"
    missing = [word for word in read if word.startswith("runs/") and not Path(word).exists()]
    if missing and "--resume" not in words:
        return f"needs {missing[0]}, of a command that is left out"
    return None


def latest_run() -> str:
    """The folder of the run that was begun last: what the pages call RUN."""
    return str(max(Path("runs").glob("*/config.json"), key=lambda path: path.stat().st_mtime).parent)


def main() -> int:
    """Run them all and print a line for each; returns 1 if one fails."""
    program, left = sys.argv[1], []
    # BROWSER: a page that is opened only to be closed again is not shown.
    environment = {
        **os.environ,
        "BROWSER": "true",
        "MINIGAN_CACHE": str(Path("cache").resolve()),
        "COLUMNS": "100",
    }
    for words in commands("\n".join(page.read_text(encoding="utf-8") for page in pages())):
        why = left_out(words)
        if why:
            left.append(f"  minigan {shlex.join(words)}: {why}")
            continue
        words = [latest_run() if word == "RUN" else word for word in shortened(words)]
        begin = time.monotonic()
        run = subprocess.run(
            [program, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"{time.monotonic() - begin:6.1f} s  minigan {shlex.join(words)}", flush=True)
        if run.returncode or "Traceback" in run.stderr:
            print(f"exit code {run.returncode}\n{run.stdout}{run.stderr}")
            return 1
    print("left out:", *left, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
