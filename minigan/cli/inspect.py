"""``minigan inspect``: look inside a run, on one page that needs nothing else."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minigan.cli import arguments as types
from minigan.cli.inspected import JUDGED, NEAR, SAMPLES, Run
from minigan.cli.run_folder import RunFolder
from minigan.cli.sample import check_target, open_sampler
from minigan.errors import ArgumentError, DataError, FileError, MiniganError

if TYPE_CHECKING:
    from minigan.data import Dataset

EPILOG = """\
examples:
  minigan inspect runs/first                       RUN/inside.html: open it in a browser, mail it, show it
  minigan inspect runs/first --seed 3 --out inside.html --overwrite

The page shows where the latents lead, what every layer makes of a picture, the filters, what D looks at, how
long each layer's gradient is, the nearest training pictures, and the operations of one step with their times.
What needs the training pictures is left out, and said, where they are gone.
"""


def add_parser(subparsers):
    """Add the ``inspect`` parser and return it."""
    parser = subparsers.add_parser("inspect", help="look inside a run", description=__doc__, epilog=EPILOG)
    parser.add_argument("run_folder", metavar="RUN", help="folder of the run")
    parser.add_argument("--out", metavar="FILE", help="ends in .html; default: RUN/inside.html, replaced")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    parser.add_argument("--seed", type=types.integer(least=0), default=0, help="of the pictures; default 0")
    return parser


def run(arguments: Namespace) -> None:
    """Look, and write the page."""
    from minigan.cli import inspect_parts as parts
    from minigan.data.arrays import replace_file
    from minigan.viz import pages

    folder = RunFolder(arguments.run_folder)
    out = Path(arguments.out) if arguments.out else folder.path / "inside.html"
    if arguments.out:
        check_target(out, (".html",), arguments.overwrite)
    opened = _open(folder, arguments.seed)
    content: dict[str, Any] = {"facts": parts.facts(opened), "missing": {}}
    for name, make in parts.PARTS.items():
        print(f"looking at {name} ...", file=sys.stderr)
        try:
            content[name] = make(opened)
        except MiniganError as error:
            content["missing"][name] = f"Left out: {error}."
    title = f"inside {opened.sampler.config.recipe}: {folder.path.name}"
    page = pages.build("inspect", title=title, data=content).encode("utf-8", "backslashreplace")
    with replace_file(out, needed=len(page)) as file:
        file.write(page)
    for name, why in content["missing"].items():
        print(f"{name}: {why[0].lower()}{why[1:]}")
    print(f"{len(page) / 1e6:.1f} MB: {out}")


def _open(folder: RunFolder, seed: int) -> Run:
    """Open the checkpoint and, where they are still there, the pictures."""
    from minigan.gan import checkpoint

    sampler = open_sampler(folder)
    discriminator = checkpoint.load_discriminator(folder.checkpoint)
    config = sampler.config
    if config.model == "planar" or config.shape[0] not in (1, 3):
        raise ArgumentError(f"inspect: expected a run of pictures, this one is of the model {config.model}")
    latents = sampler.latents(max(SAMPLES, JUDGED, NEAR, config.pack), seed=seed)
    labels = np.arange(len(latents)) % config.classes if config.classes else None
    data, gone = _data(folder, config)
    return Run(folder, sampler, discriminator, latents, labels, sampler(latents, labels), data, gone, seed)


def _data(folder: RunFolder, config: Any) -> tuple[Dataset | None, str]:
    """Return the training pictures, or None and why there are none."""
    from minigan.cli.pictures import digest, open_data

    try:
        told = folder.read_config().get("data")
        if not isinstance(told, dict) or not isinstance(told.get("data"), str):
            raise FileError(f"{folder.config} does not say which pictures the run learnt from")
        found = open_data(told, config.seed)
        if "sha256" in told and digest(found) != told["sha256"]:
            raise DataError(f"the pictures in {told['data']} are not those the run learnt from")
    except MiniganError as error:
        return None, f"the training pictures cannot be had ({error})"
    return found, ""
