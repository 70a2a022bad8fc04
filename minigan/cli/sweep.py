"""``minigan sweep``: many short runs, to see what a setting matters."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigan.cli import arguments as types
from minigan.cli import workers
from minigan.cli.cell import LABORATORIES
from minigan.cli.run_folder import hold
from minigan.cli.sweep_results import Results, slug
from minigan.errors import ArgumentError, MiniganError

MOST_CELLS = 10_000
EPILOG = """\
examples:
  minigan sweep ring --set cure=none --set lr_end=1 --set ema=0 --set base=64 --set batch=128 \\
      --set 'betas=[0.5,0.999]' --steps 1200 \\
      --vary lr_d=1e-2,3e-3,1e-3,3e-4 --vary lr_g=1e-2,3e-3,1e-3,3e-4 --out runs/rates
      half a minute: with a lower rate of D the plain GAN suddenly finds all 8 modes
  minigan sweep dcgan --data glyphs --vary lr_d=2e-4,1e-3 --vary batch=32,64 --steps 500 --out runs/widths

A cell is one run of --steps steps with one seed. NAME+NAME=... gives two settings the same value. Cells that
are done are kept: the same command goes on after Ctrl-C or worse, and more values or seeds may be added.
In DIR: results.csv (a line a cell), results.json, heatmap.png. A sweep of pictures trains a small classifier
first. With --dask the cells go to a cluster (dask scheduler; dask worker ADDRESS), whose machines need the
same minigan and see the same folder of pictures; what a lost worker had goes to another.
"""
EXIT_INTERRUPTED = 130
SETTINGS = ("MINIGAN_BACKEND", "MINIGAN_KERNELS")  # of ours, that a process elsewhere must have too


def add_parser(subparsers):
    """Add the ``sweep`` parser and return it."""
    from minigan.cli.pictures import add_data_options
    from minigan.gan.recipes import RECIPES

    parser = subparsers.add_parser(
        "sweep", help="many short runs over settings and seeds", description=__doc__, epilog=EPILOG
    )
    parser.add_argument(
        "what",
        choices=[*LABORATORIES, *RECIPES],
        metavar="WHAT",
        help="ring or grid (see minigan lab), or a recipe",
    )
    add_data_options(parser.add_argument_group("pictures (for recipes)"))
    group = parser.add_argument_group("the sweep")
    group.add_argument(
        "--vary", action="append", required=True, metavar="NAME=V,V", help="a setting and its values; repeat"
    )
    group.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of every cell"
    )
    whole = types.integer(least=1)
    group.add_argument("--seeds", type=whole, default=1, help="runs of each; default 1")
    group.add_argument("--steps", type=whole, default=1000, help="of each run; default 1000")
    group.add_argument("--jobs", type=whole, help="processes at a time; default: one a core")
    group.add_argument(
        "--dask", metavar="ADDRESS", help="let the workers of this Dask scheduler do it (tcp://HOST:8786)"
    )
    group.add_argument("--metric", help="in the table and the picture; default: modes, or frechet_distance")
    group.add_argument(
        "--map", metavar="ROW,COLUMN", help="the two settings of the picture; default: the first two"
    )
    group.add_argument("--out", required=True, metavar="DIR", help="folder of the sweep")
    return parser


@dataclass(frozen=True)
class Cell:
    """One run: the values on the sweep's axes, and the job that a process gets."""

    values: Mapping[str, Any]  # label of the axis, "seed" too -> value
    job: Mapping[str, Any]

    @property
    def name(self) -> str:
        """A file's name for it, without ending."""
        return slug(self.values)


def run(arguments: Namespace) -> int:
    """Run the cells that are not done, then print the table and draw the picture."""
    axes = parse_axes(arguments.vary)
    data = _data(arguments)
    cells = plan(arguments, axes, data)
    results = Results(Path(arguments.out), list(axes), arguments.metric, _map(arguments.map, axes))
    shared = data and {name: data[name] for name in ("options", "shape", "pictures", "sha256")}
    spec = {"what": arguments.what, "steps": arguments.steps, "data": shared, "set": sorted(arguments.set)}
    with hold(results.folder):
        results.check_spec(spec)
        found = {cell.name: results.read(cell.name) for cell in cells}
        todo = [cell for cell in cells if found[cell.name] is None]
        if len(todo) < len(cells):
            print(f"{len(cells) - len(todo)} of {len(cells)} cells are done already", file=sys.stderr)
        broken: list[str] = []
        try:
            if todo:
                with workers.crew(arguments.jobs, arguments.dask, _luggage(arguments, data)) as pool:
                    new, broken = run_cells(todo, pool, results, arguments.backend)
                    found |= new
        except KeyboardInterrupt:
            done = sum(results.read(cell.name) is not None for cell in cells)
            print(f"\ninterrupted: {done} of {len(cells)} cells are done; the same command goes on")
            return EXIT_INTERRUPTED
        print(results.write([result for cell in cells if (result := found[cell.name])]))
    if broken:
        raise MiniganError(
            f"{len(broken)} of {len(cells)} cells did not finish, the first: {broken[0]}; "
            "the same command tries them again"
        )
    return 0


def parse_axes(words: Sequence[str]) -> dict[str, list[Any]]:
    """Turn NAME=V,V and NAME+NAME=V,V into label -> values, each JSON or else a plain word."""
    axes: dict[str, list[Any]] = {}
    for word in words:
        label, equals, text = word.partition("=")
        label = label.replace("-", "_")
        names = label.split("+")
        if not equals or not all(name.isidentifier() for name in names) or not text:
            raise ArgumentError(f"--vary: expected NAME=VALUE,VALUE or NAME+NAME=VALUE,VALUE, got {word!r}")
        taken = [name for other in axes for name in other.split("+")]
        if len({*taken, *names}) < len(taken) + len(names) or "seed" in names:
            raise ArgumentError(f"--vary {label}: {'use --seeds' if 'seed' in names else 'give it once'}")
        axes[label] = [_meaning(names, value) for value in _values(text)]
    return axes


# Outside of [...] and "...": no ] comes before the next [, and the quotes that follow are in pairs.
_COMMA = re.compile(r',(?![^\[]*\])(?=(?:[^"]*"[^"]*")*[^"]*$)')


def _values(text: str) -> list[Any]:
    listed = types.parsed(f"[{text}]")
    if isinstance(listed, list):
        return listed
    return [types.parsed(part) for part in _COMMA.split(text)]


def _meaning(names: Sequence[str], value: Any) -> Any:
    for name in names:
        value = types.meaning("--vary", name, value)
    return value


def plan(arguments: Namespace, axes: Mapping[str, Sequence[Any]], data: Any) -> list[Cell]:
    """Return every cell, all settings checked; ArgumentError names the first that is wrong."""
    fixed = types.assignments(arguments.set)
    if "seed" in fixed:
        raise ArgumentError("--set seed: a sweep's seeds are 0 to --seeds minus 1")
    if twice := [name for label in axes for name in label.split("+") if name in fixed]:
        raise ArgumentError(f"--set {twice[0]}: --vary gives it values too; leave one out")
    cells: list[Cell] = []
    batches: set[int] = set()
    for values in itertools.product(*axes.values()):
        options = dict(fixed)
        for label, value in zip(axes, values, strict=True):
            options |= dict.fromkeys(label.split("+"), value)
        fitted = _batch(arguments.what, options, data)
        options |= fitted
        batches |= set(fitted.values())
        _check(arguments.what, options, data)
        for seed in range(arguments.seeds):
            job = {
                "what": arguments.what,
                "steps": arguments.steps,
                "data": data and data["options"],
                "options": {**options, "seed": seed},
            }
            cells.append(Cell({**dict(zip(axes, values, strict=True)), "seed": seed}, job))
    for batch in sorted(batches):
        print(f"note: the recipe's batch is larger than the set of {data['pictures']} pictures; taking "
              f"batch={batch}", file=sys.stderr)  # fmt: skip
    if len({cell.name for cell in cells}) < len(cells):
        raise ArgumentError("--vary: a value is there twice")
    if len(cells) > MOST_CELLS:
        raise ArgumentError(f"--vary: {len(cells):,} cells; expected at most {MOST_CELLS:,}")
    return cells


def _batch(what: str, options: dict[str, Any], data: Any) -> dict[str, int]:
    """Return the batch that the pictures can fill, where the recipe's is larger and none was asked for."""
    from minigan import gan

    if what in LABORATORIES or "batch" in options:
        return {}
    config = gan.resolve(what, shape=tuple(data["shape"]), **options)
    fitted = gan.fit_batch(config, data["pictures"])
    return {"batch": fitted.batch} if fitted != config else {}


def _check(what: str, options: dict[str, Any], data: Any) -> None:
    """Raise ArgumentError if no run can have these options."""
    from minigan import gan

    if what in LABORATORIES:
        from minigan.gan.laboratory import Laboratory

        Laboratory(what, **options)
    else:
        config = gan.resolve(what, shape=tuple(data["shape"]), **options)
        gan.models.build(config)
        if config.batch > data["pictures"]:
            raise ArgumentError(f"batch: {config.batch} is more than there are pictures, {data['pictures']}")


def _data(arguments: Namespace) -> dict[str, Any] | None:
    """Open the pictures, once, and train their classifier; return what the cells need to know."""
    from minigan.cli.pictures import DATA_OPTIONS, data_options, digest, open_data

    given = data_options(arguments)
    if arguments.what in LABORATORIES:
        if given:
            option = next(name for name in DATA_OPTIONS if name in given)
            raise ArgumentError(f"--{option}: {arguments.what} brings its own data; leave it out")
        return None
    from minigan.gan import classifier

    options = {"data": "glyphs", **given}
    dataset = open_data(options, seed=0)

    def on_epoch(epoch: int, loss: float) -> None:
        print(f"training the classifier: epoch {epoch + 1}, loss {loss:.3f}", file=sys.stderr)

    classifier.for_data(dataset.images, dataset.labels, on_epoch=on_epoch)
    return {
        "options": options,
        "shape": list(dataset.images.shape[1:]),
        "pictures": len(dataset),
        "sha256": digest(dataset),
        "classifier": classifier.file_name(dataset.images, dataset.labels),
    }


def _map(words: str | None, axes: Mapping[str, Any]) -> tuple[str, str]:
    """Return the two axes of the picture."""
    if words is None:
        row, column = [*axes, "seed"][:2]
        return (row, column) if len(axes) > 1 else (column, row)
    chosen = words.replace("-", "_").split(",")
    if len(chosen) != 2 or not set(chosen) <= {*axes, "seed"} or chosen[0] == chosen[1]:
        raise ArgumentError(f"--map: expected two of {', '.join([*axes, 'seed'])}, got {words!r}")
    return chosen[0], chosen[1]


def run_cells(
    cells: Sequence[Cell], pool: Executor, results: Results, backend: str | None
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return name -> result of the cells that finished, each on disk as soon as it is there, and the rest.

    The rest are lines that say which and why.
    """
    settings = {name: os.environ[name] for name in SETTINGS if name in os.environ}
    if backend:
        settings["MINIGAN_BACKEND"] = backend
    by_name = {cell.name: cell for cell in cells}
    tasks = {name: ("minigan.cli.cell", dict(cell.job), settings) for name, cell in by_name.items()}
    found, broken = {}, []
    with _bar(len(cells)) as tell:
        for name, answer, failure in workers.finished(pool, workers.in_process, tasks):
            if failure:
                broken.append(f"{name}: {failure}")
                continue
            found[name] = {"values": dict(by_name[name].values), **answer}
            results.keep(name, found[name])
            tell(results.line(found[name]))
    return found, broken


def _luggage(arguments: Namespace, data: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Return the classifier of the pictures, which every machine must judge by, where it is far away."""
    from minigan.data.download import cache_folder

    if data is None or arguments.dask is None:
        return {}
    return {data["classifier"]: (cache_folder() / data["classifier"]).read_bytes()}


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Any]:
    """Show how many cells are done: a bar on a terminal, else a line a cell."""
    if not sys.stderr.isatty():
        numbers = itertools.count(1)
        yield lambda line: print(f"{next(numbers)}/{total}  {line}", file=sys.stderr, flush=True)
        return
    from tqdm import tqdm

    with tqdm(total=total, unit="cell", file=sys.stderr, dynamic_ncols=True) as bar:

        def tell(line: str) -> None:
            bar.write(line, file=sys.stderr)
            bar.update()

        yield tell
