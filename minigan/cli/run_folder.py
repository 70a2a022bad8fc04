"""The folder of one training run: what lies where, and the lock that keeps a second run out.

::

    config.json      every setting of the run, resolved, and the versions it ran with
    metrics.jsonl    one JSON object per logged step; no clock times, so equal runs give equal logs
    gradients.jsonl  the length of each layer's gradient at some 200 steps
    checkpoint.npz   everything needed to go on or to draw samples
    samples/         one grid per save, of the same latent vectors, named by step
    samples.gif      those grids as a film
    losses.png       the curves
    report.html      all of it on one page
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from minigan.cli.gradient_log import GradientLog
from minigan.errors import ArgumentError, FileError

PAGE = "report.html"
LOGS = ("metrics.jsonl", "gradients.jsonl")
MINE = ("config.json", *LOGS, "checkpoint.npz", "samples", "samples.gif", "losses.png", PAGE)


class RunFolder:
    """Paths and small files of a run in ``path``. Making one touches nothing; :meth:`locked` does.

    Raises (all methods): FileError when the folder or a file in it cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.metrics = self.path / LOGS[0]
        self.gradients = GradientLog(self.path / LOGS[1])
        self.checkpoint = self.path / "checkpoint.npz"
        self.samples = self.path / "samples"
        self.film = self.path / "samples.gif"
        self.curves = self.path / "losses.png"
        self.page = self.path / PAGE
        self.evaluation = self.path / "evaluation.json"
        self.nearest = self.path / "nearest.png"

    @contextlib.contextmanager
    def locked(self, *, resume: bool) -> Iterator[None]:
        """Make the folder and hold its lock; the system lets go of it even when the process is killed.

        Raises:
            ArgumentError: a new run where there already is one, or resuming where there is none.
            FileError: the folder cannot be made or written, or another process trains in it.
        """
        if resume and not self.checkpoint.is_file():
            raise ArgumentError(
                f"--resume: no checkpoint in {self.path}; leave --resume out to start a new run"
            )
        with hold(self.path):
            if not resume:
                self.refuse_overwriting()
            _make_folder(self.samples)
            for left_over in self.path.glob(".*.tmp"):  # of a process that was killed while it wrote
                left_over.unlink()
            yield

    def refuse_overwriting(self) -> None:
        """Raise ArgumentError if a new run would lose something, be it ours or the user's own."""
        if self.checkpoint.exists():
            raise ArgumentError(
                f"{self.path} already holds a run; continue it with --resume or choose another --out"
            )
        there = [name for name in MINE if (self.path / name).exists()]
        if there:
            raise ArgumentError(f"{self.path} already holds {', '.join(there)}; choose another --out")

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.json, whole or not at all."""
        from minigan.data.arrays import replace_file

        with replace_file(self.config) as file:
            file.write(json.dumps(config, indent=2, allow_nan=False).encode() + b"\n")

    def read_config(self) -> dict[str, Any]:
        """Return what :meth:`write_config` wrote."""
        try:
            config = json.loads(self.config.read_text(encoding="utf-8"))
        except OSError as error:
            raise FileError(f"no run in {self.path}: cannot read {self.config} ({error.strerror})") from error
        except ValueError as error:
            raise FileError(f"{self.config} is not sound JSON ({error}); is it edited by hand?") from error
        if not isinstance(config, dict):
            raise FileError(f"{self.config}: expected a JSON object, got {type(config).__name__}")
        return config

    def class_names(self) -> list[str]:
        """Return the names of the data's classes, as config.json keeps them; [] where it has none."""
        return [str(name) for name in self.read_config().get("data", {}).get("classes", ())]

    def append_metrics(self, row: dict[str, Any]) -> None:
        """Add one line to metrics.jsonl."""
        line = json.dumps(row, allow_nan=False) + "\n"
        try:
            with open(self.metrics, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise FileError(
                f"cannot write {self.metrics}: {error.strerror}; make room and --resume"
            ) from error

    def read_metrics(self) -> list[dict[str, Any]]:
        """Return the rows of metrics.jsonl; a last line cut short by a crash is left out."""
        rows: list[dict[str, Any]] = []
        if self.metrics.is_file():
            for line in self.metrics.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):
                    rows.append(json.loads(line))
        return rows

    def rewind(self, step: int) -> None:
        """Forget the logs and the grids after ``step``: a resumed run makes them again."""
        from minigan.data.arrays import replace_file

        rows = [row for row in self.read_metrics() if row["step"] <= step]
        with replace_file(self.metrics) as file:
            file.writelines(json.dumps(row).encode() + b"\n" for row in rows)
        self.gradients.rewind(step)
        for path in self.pictures():
            if path.name > self.picture(step).name:
                path.unlink()

    def picture(self, step: int) -> Path:
        """Return the path of the sample grid of ``step``."""
        return self.samples / f"step-{step:07d}.png"

    def pictures(self) -> list[Path]:
        """Return the sample grids there are, oldest first."""
        return sorted(self.samples.glob("step-*.png"))


def free_folder(recipe: str, data: str) -> Path:
    """Return runs/RECIPE-DATA, or the first of that name with a number that is not there yet."""
    name = f"{recipe}-{Path(data).resolve().name}"
    number, path = 1, Path("runs", name)
    while path.exists():
        number += 1
        path = Path("runs", f"{name}-{number}")
    return path


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Make the folder and keep it to this process inside the block.  Raises FileError."""
    _make_folder(path)
    try:
        file = open(path / ".lock", "a+b")
    except OSError as error:
        raise FileError(f"cannot write in {path} ({error.strerror}); choose another --out") from error
    with file:
        if not _take(file):
            raise FileError(f"{path} is in use by another run; wait for it or choose another --out")
        yield


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {path} ({error.strerror}); choose another --out") from error


def _take(file: BinaryIO) -> bool:
    """Try to lock an open file without waiting; say whether that worked."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
